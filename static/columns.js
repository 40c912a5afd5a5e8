// Rules for the separator, the header and the columns of a table of reviews. training/data/columns.py follows the same rules.

export const SEPARATORS = [",", ";", "\t", "|"];
export const WHOLE_LINE = "\x1f"; // a separator that does not occur: the whole line is one cell
const REVIEW_NAMES = new Set(
  ["review", "text", "comment", "content", "body", "sentence", "phrase", "reviewtext", "reviewbody", "reviewcontent"],
);
const LABEL_NAMES = [new Set(["label", "sentiment"]), new Set(["rating", "star", "starrating", "score", "overall"])];
const CONSISTENT = 0.8; // of the sampled rows have as many cells as the first
const MAX_NAME_LENGTH = 40; // characters of a column name that is not known

/** Returns a column name without case, spaces, punctuation and plural: `Review Texts` is `reviewtext`. */
export function normalised(name) {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "").replace(/s$/, "");
}

/** Returns the places of the columns that are named like reviews. */
export function reviewColumns(names) {
  return names.flatMap((name, place) => (REVIEW_NAMES.has(normalised(name)) ? [place] : []));
}

/** Returns the place of the only column named like a label, or else like a rating; null if there is none or several. */
export function labelColumn(names) {
  for (const known of LABEL_NAMES) {
    const places = names.flatMap((name, place) => (known.has(normalised(name)) ? [place] : []));
    if (places.length > 0) return places.length === 1 ? places[0] : null;
  }
  return null;
}

/** Returns whether a first row holds a known column name. */
export function isKnownHeader(cells) {
  return reviewColumns(cells).length > 0 || LABEL_NAMES.some((known) => cells.some((cell) => known.has(normalised(cell))));
}

/** Returns whether a first row could be a header of unknown names: short, without digits or sentence marks. */
export function mayBeHeader(cells) {
  return cells.every((cell) => cell.length <= MAX_NAME_LENGTH && !/[\d.!?,]|^\s*$/.test(cell) && cell.split(" ").length <= 3);
}

/** Returns the separator of a table; `rowsBy(separator)` parses the first rows of it. */
export function chooseSeparator(candidates, rowsBy) {
  const sampled = candidates.map((separator) => ({ separator, rows: rowsBy(separator) }));
  const tables = sampled.filter(({ rows }) => rows[0].length > 1);
  const named = tables.find(({ rows }) => reviewColumns(rows[0]).length > 0);
  if (named) return named.separator;
  if (sampled.some(({ rows }) => rows[0].length === 1 && isKnownHeader(rows[0]))) return WHOLE_LINE;
  const regular = tables.filter(({ rows }) => isKnownHeader(rows[0]) || isRegular(rows));
  regular.sort((one, other) => other.rows[0].length - one.rows[0].length); // stable: the usual order among equals
  return regular[0]?.separator ?? WHOLE_LINE;
}

function isRegular(rows) {
  const equal = rows.filter((row) => row.length === rows[0].length).length;
  return equal >= CONSISTENT * rows.length;
}
