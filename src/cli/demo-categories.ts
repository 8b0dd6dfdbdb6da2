import type { Texts } from './demo-languages.ts'

/** How the demo shop is ordered: this is data. */

export interface DemoCategory {
  readonly id: string
  readonly parentId?: string
  readonly titles: Texts
  /** What its products have in common, after the sentence about the product itself. */
  readonly description: Texts
}

export const demoCategories: readonly DemoCategory[] = [
  { id: 'writing', titles: ['Writing', 'Schreiben', 'Écriture'], description: ['', '', ''] },
  {
    id: 'notebooks',
    parentId: 'writing',
    titles: ['Notebooks', 'Notizbücher', 'Carnets'],
    description: [
      'Opens flat, and the paper takes ink well.',
      'Liegt flach auf, das Papier verträgt Tinte gut.',
      'S’ouvre à plat, le papier accepte bien l’encre.',
    ],
  },
  {
    id: 'pens',
    parentId: 'writing',
    titles: ['Pens and ink', 'Stifte und Tinte', 'Stylos et encres'],
    description: [
      'Refillable, with spare parts for years.',
      'Nachfüllbar, mit Ersatzteilen auf Jahre.',
      'Rechargeable, avec des pièces pour des années.',
    ],
  },
  { id: 'kitchen', titles: ['Kitchen', 'Küche', 'Cuisine'], description: ['', '', ''] },
  {
    id: 'tea',
    parentId: 'kitchen',
    titles: ['Tea', 'Tee', 'Thé'],
    description: [
      'Picked by hand and packed in small lots.',
      'Von Hand gepflückt und in kleinen Mengen verpackt.',
      'Cueilli à la main et conditionné en petits lots.',
    ],
  },
  {
    id: 'teaware',
    parentId: 'kitchen',
    titles: ['Teapots and cups', 'Teekannen und Tassen', 'Théières et tasses'],
    description: [
      'Fired twice, and safe in the dishwasher.',
      'Zweimal gebrannt und spülmaschinenfest.',
      'Cuit deux fois, passe au lave-vaisselle.',
    ],
  },
  {
    id: 'coffee',
    parentId: 'kitchen',
    titles: ['Coffee', 'Kaffee', 'Café'],
    description: [
      'Roasted on Mondays, sent on Tuesdays.',
      'Montags geröstet, dienstags verschickt.',
      'Torréfié le lundi, expédié le mardi.',
    ],
  },
  { id: 'home', titles: ['Home', 'Wohnen', 'Maison'], description: ['', '', ''] },
  {
    id: 'lighting',
    parentId: 'home',
    titles: ['Lighting', 'Leuchten', 'Luminaires'],
    description: [
      'With a bulb that can be replaced.',
      'Mit einer Birne, die sich tauschen lässt.',
      'Avec une ampoule remplaçable.',
    ],
  },
  {
    id: 'textiles',
    parentId: 'home',
    titles: ['Textiles', 'Textilien', 'Textiles'],
    description: [
      'Woven in a small mill, washable at 40 degrees.',
      'In einer kleinen Weberei gewebt, bei 40 Grad waschbar.',
      'Tissé dans une petite filature, lavable à 40 degrés.',
    ],
  },
  {
    id: 'garden',
    parentId: 'home',
    titles: ['Balcony and garden', 'Balkon und Garten', 'Balcon et jardin'],
    description: [
      'Made to stay outside all year.',
      'Gemacht, um das ganze Jahr draußen zu bleiben.',
      'Fait pour rester dehors toute l’année.',
    ],
  },
]
