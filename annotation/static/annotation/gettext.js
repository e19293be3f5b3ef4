/**
 * The page's language in its scripts: texts by their English words, from a block of data that came with the page.
 *
 * A text without a translation is an error of ours, which is written to the console; pages are only shown in languages
 * that have them all.
 */

const { texts, plurals } = JSON.parse(document.getElementById("script-texts").textContent);

/** The language of the page, as Intl takes it. */
export const LANGUAGE = document.documentElement.lang;

/** Puts values in the places of %(name)s. */
const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (place, name) => values[name] ?? place);

function formsOf(text) {
  const forms = texts[text];
  if (!forms) console.error(`No translation into ${LANGUAGE}: ${text}`);
  return forms;
}

/** The text in the page's language, with `values` for its places. */
export function gettext(text, values = {}) {
  return fill(formsOf(text)?.[0] ?? text, values);
}

/** The form of the text that goes with `number`, which is also the value of %(number)s. */
export function ngettext(one, many, number, values = {}) {
  // The rules of all languages repeat with the last two digits.
  const place = plurals[number < plurals.length ? number : 100 + (number % 100)];
  const text = formsOf(one)?.[place] ?? (number === 1 ? one : many);
  return fill(text, { number: formatted(number), ...values });
}

/** A number as the language writes it, with at most so many digits after the point. */
export const formatted = (number, digits = 0) =>
  new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: digits, useGrouping: false, numberingSystem: "latn" }).format(number);
