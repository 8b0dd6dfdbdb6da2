/** The demo shop: goods for writing, tea, coffee and the home, of our own making. */

type Texts = readonly [en: string, de: string, fr: string]

export const demoLanguages = ['en', 'de', 'fr'] as const
export const demoCountries = ['DE', 'FR', 'GB', 'US', 'AT', 'NL'] as const

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

export interface DemoProduct {
  readonly id: string
  readonly categoryId: string
  readonly titles: Texts
  readonly sentence: Texts
  /** Price in euro cents. */
  readonly price: number
  readonly taxCategory: 'standard' | 'reduced'
  /** Variants beside the product itself, as a suffix of the SKU, their titles, and what they cost more in euro cents. */
  readonly variants: readonly { readonly suffix: string; readonly titles: Texts; readonly more: number }[]
}

const sizes = [
  { suffix: 'A6', titles: ['A6', 'A6', 'A6'], more: 0 },
  { suffix: 'A5', titles: ['A5', 'A5', 'A5'], more: 400 },
] as const
const weights = [
  { suffix: '100', titles: ['100 g', '100 g', '100 g'], more: 0 },
  { suffix: '250', titles: ['250 g', '250 g', '250 g'], more: 900 },
] as const
const colours = [
  { suffix: 'BLUE', titles: ['blue', 'blau', 'bleu'], more: 0 },
  { suffix: 'GREEN', titles: ['green', 'grün', 'vert'], more: 0 },
] as const
const one = [{ suffix: '1', titles: ['', '', ''], more: 0 }] as const

type Row = readonly [id: string, price: number, titles: Texts, sentence: Texts]

function shelf(
  categoryId: string,
  variants: DemoProduct['variants'],
  rows: readonly Row[],
  taxCategory: DemoProduct['taxCategory'] = 'standard',
) {
  return rows.map(
    ([id, price, titles, sentence]): DemoProduct => ({
      id,
      categoryId,
      titles,
      sentence,
      price,
      taxCategory,
      variants,
    }),
  )
}

export const demoProducts: readonly DemoProduct[] = [
  ...shelf('notebooks', sizes, [
    [
      'daybook-linen',
      1490,
      ['Linen daybook', 'Tagebuch in Leinen', 'Journal en lin'],
      [
        'A page a day, bound in linen.',
        'Eine Seite für jeden Tag, in Leinen gebunden.',
        'Une page par jour, relié en lin.',
      ],
    ],
    [
      'ledger-ruled',
      1290,
      ['Ruled ledger', 'Liniertes Kassenbuch', 'Registre ligné'],
      [
        'Numbered pages for those who count.',
        'Nummerierte Seiten für alle, die rechnen.',
        'Des pages numérotées pour ceux qui comptent.',
      ],
    ],
    [
      'sketchbook-heavy',
      1790,
      ['Heavy sketchbook', 'Skizzenbuch, schwer', 'Carnet de croquis épais'],
      [
        'Paper of 160 grams for pencil and wash.',
        'Papier mit 160 Gramm für Stift und Lavur.',
        'Papier de 160 grammes pour crayon et lavis.',
      ],
    ],
    [
      'pocket-notes',
      690,
      ['Pocket notes', 'Taschenheft', 'Carnet de poche'],
      [
        'Three thin books for three trips.',
        'Drei dünne Hefte für drei Reisen.',
        'Trois petits carnets pour trois voyages.',
      ],
    ],
    [
      'dotted-journal',
      1590,
      ['Dotted journal', 'Journal mit Punktraster', 'Journal à points'],
      [
        'Dots that guide and then disappear.',
        'Punkte, die führen und dann verschwinden.',
        'Des points qui guident puis s’effacent.',
      ],
    ],
    [
      'music-book',
      1390,
      ['Music manuscript book', 'Notenheft', 'Cahier de musique'],
      ['Twelve staves on every page.', 'Zwölf Notensysteme auf jeder Seite.', 'Douze portées par page.'],
    ],
    [
      'recipe-book',
      1690,
      ['Recipe book', 'Rezeptbuch', 'Cahier de recettes'],
      [
        'Wipeable cover, and an index to fill in.',
        'Abwischbarer Einband und ein Register zum Ausfüllen.',
        'Couverture lavable et un index à remplir.',
      ],
    ],
  ]),
  ...shelf('pens', colours, [
    [
      'fountain-pen-school',
      1990,
      ['Fountain pen for school', 'Schulfüller', 'Stylo plume d’écolier'],
      ['A steel nib that forgives.', 'Eine Stahlfeder, die verzeiht.', 'Une plume en acier qui pardonne.'],
    ],
    [
      'fountain-pen-brass',
      6900,
      ['Brass fountain pen', 'Füllhalter aus Messing', 'Stylo plume en laiton'],
      ['Grows darker where you hold it.', 'Dunkelt nach, wo man ihn hält.', 'Fonce là où on le tient.'],
    ],
    [
      'rollerball',
      1450,
      ['Rollerball', 'Tintenroller', 'Roller'],
      ['Writes before you press.', 'Schreibt, bevor man drückt.', 'Écrit avant qu’on appuie.'],
    ],
    [
      'pencil-set',
      890,
      ['Set of pencils', 'Bleistiftsatz', 'Jeu de crayons'],
      ['From 2H to 6B in a tin.', 'Von 2H bis 6B in einer Dose.', 'De 2H à 6B dans une boîte.'],
    ],
    [
      'ink-bottle',
      990,
      ['Bottle of ink', 'Tintenglas', 'Flacon d’encre'],
      [
        'Fifty millilitres that dry slowly in the pen.',
        'Fünfzig Milliliter, die im Füller langsam trocknen.',
        'Cinquante millilitres qui sèchent lentement.',
      ],
    ],
    [
      'calligraphy-set',
      2490,
      ['Calligraphy set', 'Kalligrafie-Set', 'Coffret de calligraphie'],
      [
        'Holder, five nibs and a guide.',
        'Halter, fünf Federn und eine Anleitung.',
        'Porte-plume, cinq plumes et un guide.',
      ],
    ],
  ]),
  ...shelf(
    'tea',
    weights,
    [
      [
        'assam-breakfast',
        790,
        ['Assam breakfast tea', 'Assam Frühstückstee', 'Thé Assam du matin'],
        ['Strong enough for milk.', 'Kräftig genug für Milch.', 'Assez fort pour du lait.'],
      ],
      [
        'darjeeling-first',
        1290,
        ['Darjeeling first flush', 'Darjeeling First Flush', 'Darjeeling de printemps'],
        ['Light, with a touch of grape.', 'Leicht, mit einem Hauch von Traube.', 'Léger, avec une note de raisin.'],
      ],
      [
        'sencha',
        1090,
        ['Sencha green tea', 'Sencha Grüntee', 'Thé vert Sencha'],
        ['Steamed, grassy, bright.', 'Gedämpft, grasig, hell.', 'Étuvé, herbacé, vif.'],
      ],
      [
        'earl-grey',
        850,
        ['Earl Grey', 'Earl Grey', 'Earl Grey'],
        ['With oil of real bergamot.', 'Mit Öl echter Bergamotte.', 'À l’huile de vraie bergamote.'],
      ],
      [
        'rooibos',
        690,
        ['Rooibos', 'Rotbusch', 'Rooibos'],
        ['Without caffeine, for the evening.', 'Ohne Koffein, für den Abend.', 'Sans théine, pour le soir.'],
      ],
      [
        'peppermint',
        590,
        ['Peppermint', 'Pfefferminze', 'Menthe poivrée'],
        [
          'Whole leaves that open in the pot.',
          'Ganze Blätter, die sich in der Kanne öffnen.',
          'Des feuilles entières qui s’ouvrent.',
        ],
      ],
      [
        'oolong-milk',
        1390,
        ['Milk oolong', 'Milk Oolong', 'Oolong au lait'],
        [
          'Rolled leaves for seven infusions.',
          'Gerollte Blätter für sieben Aufgüsse.',
          'Feuilles roulées pour sept infusions.',
        ],
      ],
    ],
    'reduced',
  ),
  ...shelf('teaware', colours, [
    [
      'teapot-litre',
      3490,
      ['Teapot for one litre', 'Teekanne für einen Liter', 'Théière d’un litre'],
      ['A spout that doesn’t drip.', 'Eine Tülle, die nicht tropft.', 'Un bec qui ne goutte pas.'],
    ],
    [
      'teapot-small',
      2690,
      ['Small teapot', 'Kleine Teekanne', 'Petite théière'],
      ['Two cups and no more.', 'Zwei Tassen und nicht mehr.', 'Deux tasses, pas davantage.'],
    ],
    [
      'cup-handle',
      1290,
      ['Cup with a handle', 'Tasse mit Henkel', 'Tasse à anse'],
      ['Thin at the rim, thick at the foot.', 'Dünn am Rand, dick am Fuß.', 'Fine au bord, épaisse au pied.'],
    ],
    [
      'bowl-matcha',
      2290,
      ['Matcha bowl', 'Matcha-Schale', 'Bol à matcha'],
      ['Wide enough for the whisk.', 'Weit genug für den Besen.', 'Assez large pour le fouet.'],
    ],
    [
      'tea-strainer',
      990,
      ['Tea strainer', 'Teesieb', 'Passe-thé'],
      [
        'So fine that rooibos stays inside.',
        'So fein, dass Rotbusch darin bleibt.',
        'Si fin que le rooibos reste dedans.',
      ],
    ],
    [
      'milk-jug',
      1490,
      ['Milk jug', 'Milchkännchen', 'Pot à lait'],
      ['Pours a thread, not a flood.', 'Gießt einen Faden, keine Flut.', 'Verse un filet, pas un flot.'],
    ],
  ]),
  ...shelf(
    'coffee',
    weights,
    [
      [
        'espresso-house',
        990,
        ['House espresso', 'Hausespresso', 'Espresso maison'],
        [
          'Chocolate, hazelnut, little acid.',
          'Schokolade, Haselnuss, wenig Säure.',
          'Chocolat, noisette, peu d’acidité.',
        ],
      ],
      [
        'filter-ethiopia',
        1290,
        ['Filter coffee from Ethiopia', 'Filterkaffee aus Äthiopien', 'Café filtre d’Éthiopie'],
        ['Blueberry and jasmine.', 'Blaubeere und Jasmin.', 'Myrtille et jasmin.'],
      ],
      [
        'filter-colombia',
        1190,
        ['Filter coffee from Colombia', 'Filterkaffee aus Kolumbien', 'Café filtre de Colombie'],
        ['Caramel and red apple.', 'Karamell und roter Apfel.', 'Caramel et pomme rouge.'],
      ],
      [
        'decaf',
        1150,
        ['Decaffeinated coffee', 'Entkoffeinierter Kaffee', 'Café décaféiné'],
        ['Washed with water alone.', 'Nur mit Wasser gewaschen.', 'Lavé à l’eau seule.'],
      ],
      [
        'breakfast-blend',
        890,
        ['Breakfast blend', 'Frühstücksmischung', 'Mélange du matin'],
        ['For the large pot.', 'Für die große Kanne.', 'Pour la grande cafetière.'],
      ],
      [
        'cold-brew-bags',
        1090,
        ['Cold brew bags', 'Cold-Brew-Beutel', 'Sachets cold brew'],
        ['Overnight in cold water.', 'Über Nacht in kaltes Wasser.', 'Une nuit dans l’eau froide.'],
      ],
    ],
    'reduced',
  ),
  ...shelf('kitchen', one, [
    [
      'hand-grinder',
      7900,
      ['Hand grinder', 'Handmühle', 'Moulin à main'],
      [
        'Steel burrs and thirty turns a cup.',
        'Stahlmahlwerk und dreißig Umdrehungen je Tasse.',
        'Meules en acier, trente tours par tasse.',
      ],
    ],
    [
      'pour-over-kettle',
      5900,
      ['Pour-over kettle', 'Kessel mit Schwanenhals', 'Bouilloire à col de cygne'],
      ['A thermometer in the lid.', 'Ein Thermometer im Deckel.', 'Un thermomètre dans le couvercle.'],
    ],
    [
      'kitchen-scale',
      3900,
      ['Kitchen scale', 'Küchenwaage', 'Balance de cuisine'],
      [
        'To a tenth of a gram, with a timer.',
        'Auf ein Zehntelgramm genau, mit Uhr.',
        'Au dixième de gramme, avec minuteur.',
      ],
    ],
    [
      'chopping-board',
      3290,
      ['Chopping board', 'Schneidebrett', 'Planche à découper'],
      ['End grain of ash, oiled.', 'Stirnholz aus Esche, geölt.', 'Bois de bout de frêne, huilé.'],
    ],
    [
      'bread-knife',
      4490,
      ['Bread knife', 'Brotmesser', 'Couteau à pain'],
      ['Waves that can be sharpened.', 'Ein Wellenschliff, der sich schärfen lässt.', 'Une lame dentée qui s’affûte.'],
    ],
    [
      'storage-jar',
      1190,
      ['Storage jar', 'Vorratsglas', 'Bocal'],
      ['Glass with a lid of cork.', 'Glas mit Korkdeckel.', 'Verre à couvercle de liège.'],
    ],
    [
      'apron',
      2990,
      ['Apron', 'Schürze', 'Tablier'],
      [
        'Two pockets and a loop for the towel.',
        'Zwei Taschen und eine Schlaufe für das Tuch.',
        'Deux poches et une boucle pour le torchon.',
      ],
    ],
  ]),
  ...shelf('lighting', one, [
    [
      'desk-lamp',
      8900,
      ['Desk lamp', 'Schreibtischleuchte', 'Lampe de bureau'],
      ['Three joints and a long arm.', 'Drei Gelenke und ein langer Arm.', 'Trois articulations et un long bras.'],
    ],
    [
      'paper-lantern',
      2490,
      ['Paper lantern', 'Papierlaterne', 'Lanterne de papier'],
      ['Folds as flat as a letter.', 'Lässt sich flach wie ein Brief falten.', 'Se plie comme une lettre.'],
    ],
    [
      'bedside-lamp',
      5490,
      ['Bedside lamp', 'Nachttischlampe', 'Lampe de chevet'],
      ['Dims when you touch it.', 'Dimmt bei Berührung.', 'S’atténue au toucher.'],
    ],
    [
      'candle-beeswax',
      1290,
      ['Beeswax candle', 'Bienenwachskerze', 'Bougie en cire d’abeille'],
      ['Burns for thirty hours.', 'Brennt dreißig Stunden.', 'Brûle trente heures.'],
    ],
    [
      'lantern-outdoor',
      4900,
      ['Outdoor lantern', 'Gartenlaterne', 'Lanterne d’extérieur'],
      ['Keeps its light in the wind.', 'Behält ihr Licht im Wind.', 'Garde sa flamme dans le vent.'],
    ],
    [
      'reading-light',
      2990,
      ['Reading light', 'Leselampe', 'Liseuse'],
      ['Clips to a book and weighs nothing.', 'Klemmt am Buch und wiegt nichts.', 'Se pince au livre et ne pèse rien.'],
    ],
  ]),
  ...shelf('textiles', colours, [
    [
      'wool-blanket',
      11900,
      ['Wool blanket', 'Wolldecke', 'Couverture de laine'],
      ['Large enough for two.', 'Groß genug für zwei.', 'Assez grande pour deux.'],
    ],
    [
      'linen-towel',
      1690,
      ['Linen towel', 'Leinentuch', 'Torchon en lin'],
      ['Dries glasses without a trace.', 'Trocknet Gläser ohne Spuren.', 'Essuie les verres sans trace.'],
    ],
    [
      'cushion',
      3490,
      ['Cushion', 'Kissen', 'Coussin'],
      ['Filled with husks of spelt.', 'Mit Dinkelspelz gefüllt.', 'Rempli d’épeautre.'],
    ],
    [
      'tablecloth',
      6490,
      ['Tablecloth', 'Tischdecke', 'Nappe'],
      ['For a table of eight.', 'Für einen Tisch mit acht Plätzen.', 'Pour une table de huit.'],
    ],
    [
      'bath-towel',
      2990,
      ['Bath towel', 'Badetuch', 'Drap de bain'],
      ['Heavy cotton that dries fast.', 'Schwere Baumwolle, die schnell trocknet.', 'Coton épais qui sèche vite.'],
    ],
    [
      'tote-bag',
      1890,
      ['Tote bag', 'Stofftasche', 'Sac en toile'],
      ['Carries a week of shopping.', 'Trägt den Einkauf einer Woche.', 'Porte les courses d’une semaine.'],
    ],
  ]),
  ...shelf('garden', one, [
    [
      'watering-can',
      3990,
      ['Watering can', 'Gießkanne', 'Arrosoir'],
      ['A long neck and a fine rose.', 'Ein langer Hals und eine feine Brause.', 'Un long col et une pomme fine.'],
    ],
    [
      'herb-box',
      2790,
      ['Herb box', 'Kräuterkasten', 'Jardinière d’herbes'],
      [
        'Three herbs and room for their roots.',
        'Drei Kräuter und Platz für ihre Wurzeln.',
        'Trois herbes et de la place pour les racines.',
      ],
    ],
    [
      'pruning-shears',
      3590,
      ['Pruning shears', 'Gartenschere', 'Sécateur'],
      ['Every part can be replaced.', 'Jedes Teil lässt sich ersetzen.', 'Chaque pièce se remplace.'],
    ],
    [
      'seed-set',
      990,
      ['Set of seeds', 'Samenset', 'Coffret de graines'],
      ['Twelve kinds that come again.', 'Zwölf Sorten, die wiederkommen.', 'Douze variétés qui reviennent.'],
    ],
    [
      'bird-feeder',
      3190,
      ['Bird feeder', 'Vogelhaus', 'Mangeoire'],
      ['Larch that turns grey by itself.', 'Lärche, die von selbst grau wird.', 'Du mélèze qui grise tout seul.'],
    ],
    [
      'rain-gauge',
      1490,
      ['Rain gauge', 'Regenmesser', 'Pluviomètre'],
      ['Glass, with a brass stake.', 'Glas mit einem Stab aus Messing.', 'Verre, avec un pied de laiton.'],
    ],
    [
      'folding-stool',
      4490,
      ['Folding stool', 'Klapphocker', 'Tabouret pliant'],
      [
        'Canvas on ash, for a long evening.',
        'Segeltuch auf Esche, für lange Abende.',
        'Toile sur frêne, pour les longs soirs.',
      ],
    ],
  ]),
]

/** Tax rates by country, in hundredths of a percent. */
export const demoTaxRates: readonly (readonly [
  country: (typeof demoCountries)[number],
  standard: number,
  reduced: number,
])[] = [
  ['DE', 1900, 700],
  ['AT', 2000, 1000],
  ['FR', 2000, 550],
  ['NL', 2100, 900],
  ['GB', 2000, 0],
  ['US', 0, 0],
]

export const demoFirstNames = [
  'Ada',
  'Grace',
  'Alan',
  'Edsger',
  'Barbara',
  'Donald',
  'Margaret',
  'Niklaus',
  'Radia',
  'Leslie',
  'Frances',
  'Tony',
  'Katherine',
  'Dennis',
  'Hedy',
  'Ken',
] as const
export const demoLastNames = [
  'Weaver',
  'Miller',
  'Baker',
  'Fischer',
  'Martin',
  'Dubois',
  'Keller',
  'Smith',
  'Jansen',
  'Moreau',
  'Brandt',
  'Carter',
] as const
export const demoCities: Readonly<Record<(typeof demoCountries)[number], readonly [city: string, postalCode: string]>> =
  {
    DE: ['Hamburg', '20095'],
    AT: ['Graz', '8010'],
    FR: ['Lyon', '69001'],
    NL: ['Utrecht', '3511'],
    GB: ['Leeds', 'LS1 4DY'],
    US: ['Portland', '97201'],
  }
