import { commandLine } from 'daybook/command-line'
import { giftShop } from './gift-shop.ts'

/** The `daybook` command of this shop. */

await commandLine({ extensions: [giftShop] })
