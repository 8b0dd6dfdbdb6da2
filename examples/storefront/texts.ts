import { type Language, language } from './preferences.ts'

type Translated = readonly [en: string, de: string, fr: string]

const texts = {
  shop: ['Quire & Kettle', 'Quire & Kettle', 'Quire & Kettle'],
  skip: ['Skip to content', 'Zum Inhalt', 'Aller au contenu'],
  language: ['Language', 'Sprache', 'Langue'],
  currency: ['Currency', 'Währung', 'Devise'],
  search: ['Search', 'Suchen', 'Rechercher'],
  searchLabel: ['Search products', 'Produkte suchen', 'Rechercher des produits'],
  products: ['All products', 'Alle Produkte', 'Tous les produits'],
  category: ['Category', 'Kategorie', 'Catégorie'],
  all: ['Everything', 'Alles', 'Tout'],
  found: ['Results for “{q}”', 'Treffer für „{q}“', 'Résultats pour « {q} »'],
  nothingFound: ['Nothing found', 'Nichts gefunden', 'Aucun résultat'],
  nothingFoundHint: [
    'Try fewer or other words, or look through everything.',
    'Versuche weniger oder andere Wörter, oder sieh dir alles an.',
    'Essayez moins de mots ou d’autres mots, ou parcourez tout.',
  ],
  more: ['Show more', 'Mehr zeigen', 'Afficher plus'],
  from: ['from {price}', 'ab {price}', 'à partir de {price}'],
  soldOut: ['Sold out', 'Ausverkauft', 'Épuisé'],
  inStock: ['In stock', 'Auf Lager', 'En stock'],
  fewLeft: ['Only {n} left', 'Nur noch {n}', 'Plus que {n}'],
  variant: ['Choose', 'Auswahl', 'Choix'],
  quantity: ['Quantity', 'Menge', 'Quantité'],
  add: ['Add to cart', 'In den Warenkorb', 'Ajouter au panier'],
  added: ['Added: {title}. ', 'Hinzugefügt: {title}. ', 'Ajouté : {title}. '],
  toCart: ['Go to the cart', 'Zum Warenkorb', 'Voir le panier'],
  cart: ['Cart', 'Warenkorb', 'Panier'],
  cartEmpty: ['Your cart is empty', 'Dein Warenkorb ist leer', 'Votre panier est vide'],
  keepShopping: ['Look at all products', 'Alle Produkte ansehen', 'Voir tous les produits'],
  remove: ['Remove', 'Entfernen', 'Retirer'],
  removeLine: ['Remove {title}', '{title} entfernen', 'Retirer {title}'],
  quantityOf: ['Quantity of {title}', 'Menge von {title}', 'Quantité de {title}'],
  subtotal: ['Subtotal', 'Zwischensumme', 'Sous-total'],
  shippingCost: ['Shipping', 'Versand', 'Livraison'],
  total: ['Total', 'Gesamt', 'Total'],
  taxIncluded: ['Tax included', 'Inklusive Steuern', 'Taxes comprises'],
  checkout: ['Check out', 'Zur Kasse', 'Commander'],
  contact: ['Contact', 'Kontakt', 'Contact'],
  email: ['E-mail', 'E-Mail', 'E-mail'],
  address: ['Delivery address', 'Lieferadresse', 'Adresse de livraison'],
  name: ['Name', 'Name', 'Nom'],
  line1: ['Street and number', 'Straße und Hausnummer', 'Rue et numéro'],
  postalCode: ['Postal code', 'Postleitzahl', 'Code postal'],
  city: ['City', 'Ort', 'Ville'],
  country: ['Country', 'Land', 'Pays'],
  noShipping: [
    'Nothing is sent to this country. Choose another one.',
    'In dieses Land wird nicht geliefert. Wähle ein anderes.',
    'Pas de livraison dans ce pays. Choisissez-en un autre.',
  ],
  placeOrder: ['Place order', 'Bestellen', 'Passer la commande'],
  placing: ['Placing your order …', 'Bestellung wird aufgegeben …', 'Commande en cours …'],
  order: ['Order {number}', 'Bestellung {number}', 'Commande {number}'],
  orders: ['My orders', 'Meine Bestellungen', 'Mes commandes'],
  noOrders: ['You have not ordered anything yet', 'Du hast noch nichts bestellt', 'Vous n’avez encore rien commandé'],
  timeline: ['What has happened', 'Was geschehen ist', 'Ce qui s’est passé'],
  payment: ['Payment', 'Zahlung', 'Paiement'],
  cardNumber: ['Card number', 'Kartennummer', 'Numéro de carte'],
  expiry: ['Expiry (MM/YY)', 'Gültig bis (MM/JJ)', 'Expiration (MM/AA)'],
  cvc: ['Security code', 'Prüfnummer', 'Cryptogramme'],
  pay: ['Pay {amount}', '{amount} bezahlen', 'Payer {amount}'],
  paying: ['Paying …', 'Zahlung läuft …', 'Paiement en cours …'],
  testCards: [
    'This is a test shop: 4242 4242 4242 4242 pays, 4000 0000 0000 0002 is declined. Any future date and any code do.',
    'Dies ist ein Testladen: 4242 4242 4242 4242 zahlt, 4000 0000 0000 0002 wird abgelehnt. Jedes künftige Datum und jeder Code gehen.',
    'Boutique de test : 4242 4242 4242 4242 paie, 4000 0000 0000 0002 est refusée. Toute date future et tout code conviennent.',
  ],
  cardGoes: [
    'Your card goes to the payment gateway alone, never to the shop.',
    'Deine Karte geht nur an den Zahlungsdienst, nie an den Laden.',
    'Votre carte va uniquement au prestataire de paiement, jamais à la boutique.',
  ],
  approve: ['Approve the payment', 'Zahlung bestätigen', 'Approuver le paiement'],
  declined: [
    'The payment failed: {reason} Nothing was charged. Try another card.',
    'Die Zahlung ist fehlgeschlagen: {reason} Nichts wurde abgebucht. Versuche eine andere Karte.',
    'Le paiement a échoué : {reason} Rien n’a été débité. Essayez une autre carte.',
  ],
  waitsForPayment: [
    'Your order is waiting for your payment, until {time}.',
    'Deine Bestellung wartet auf die Zahlung, bis {time}.',
    'Votre commande attend votre paiement, jusqu’au {time}.',
  ],
  waitsForGateway: [
    'The payment is under way. This page follows it.',
    'Die Zahlung läuft. Diese Seite verfolgt sie.',
    'Le paiement est en cours. Cette page le suit.',
  ],
  paid: [
    'Thank you! Your order is confirmed and paid.',
    'Danke! Deine Bestellung ist bestätigt und bezahlt.',
    'Merci ! Votre commande est confirmée et payée.',
  ],
  confirmed: [
    'Thank you! Your order is confirmed.',
    'Danke! Deine Bestellung ist bestätigt.',
    'Merci ! Votre commande est confirmée.',
  ],
  outOfStock: [
    'Sorry: not all of it is in stock any more. Nothing was charged. Choose fewer pieces, or something else.',
    'Leider ist nicht mehr alles auf Lager. Nichts wurde abgebucht. Wähle weniger Stück oder etwas anderes.',
    'Désolé : tout n’est plus en stock. Rien n’a été débité. Choisissez moins de pièces ou autre chose.',
  ],
  ended: [
    'This order was cancelled. What was paid is paid back.',
    'Diese Bestellung wurde storniert. Was bezahlt war, wird erstattet.',
    'Cette commande est annulée. Ce qui était payé est remboursé.',
  ],
  lookAgain: ['Look again', 'Noch einmal nachsehen', 'Regarder à nouveau'],
  tryAgain: ['Try again', 'Noch einmal versuchen', 'Réessayer'],
  loading: ['Loading …', 'Wird geladen …', 'Chargement …'],
  somethingWrong: ['That did not work', 'Das hat nicht geklappt', 'Cela n’a pas fonctionné'],
  priceChanged: [
    'The total has changed. Look at it, and order again if it is right.',
    'Der Gesamtbetrag hat sich geändert. Sieh ihn dir an und bestelle noch einmal, wenn er stimmt.',
    'Le total a changé. Vérifiez-le, puis commandez à nouveau.',
  ],
  notThere: ['There is nothing here', 'Hier ist nichts', 'Il n’y a rien ici'],
  nameInLogs: ['For the shop: {id}', 'Für den Laden: {id}', 'Pour la boutique : {id}'],
} as const satisfies Readonly<Record<string, Translated>>

const place: Readonly<Record<Language, 0 | 1 | 2>> = { en: 0, de: 1, fr: 2 }

export type TextName = keyof typeof texts

/** A text of the page in the language that is chosen. @param values what stands in its braces */
export function text(name: TextName, values: Readonly<Record<string, string>> = {}): string {
  return texts[name][place[language()]].replaceAll(/\{(\w+)\}/g, (_all, key: string) => values[key] ?? '')
}
