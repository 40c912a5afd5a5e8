// The scale of a label or rating column, decided over the whole file. training/data/labels.py follows the same rules.

const WORDS = { positive: 1, pos: 1, true: 1, negative: 0, neg: 0, false: 0, neutral: null, mixed: null };
export const MAX_VALUES = 200; // different values of a column that may be labels
const SCALES = [ // `accepts` takes all values of the column, `label` returns 1, 0, or null for a middle value
  { description: "0 is negative, 1 is positive", accepts: (values) => values.every((value) => value === 0 || value === 1), binary: true, label: (value) => value },
  { description: "-1 is negative, 1 is positive", accepts: (values) => values.every((value) => [-1, 0, 1].includes(value)) && values.includes(-1), label: (value) => (value === 0 ? null : Number(value > 0)) },
  { description: "0 to 4: 0 and 1 are negative, 3 and 4 are positive", accepts: (values) => within(values, 0, 4) && values.includes(0) && values.includes(4) && values.every(Number.isInteger), label: (value) => graded(value, 1, 3) },
  { description: "1 to 5 stars: up to 2 is negative, from 3.5 is positive", accepts: (values) => within(values, 0.5, 5) && Math.max(...values) > 3, label: (value) => graded(value, 2, 3.5) },
  { description: "ratings up to 10: up to 4 is negative, from 7 is positive", accepts: (values) => within(values, 0, 10) && Math.max(...values) > 5, label: (value) => graded(value, 4, 7) },
];

/**
 * Returns how a column's values are labels: {description, labelOf}, or null if they are not.
 * `labelOf(value)` is "positive", "negative", or null for a middle or missing value.
 */
export function scaleOf(values, isRating) {
  const known = [...values].map(cleaned).filter((value) => value !== "");
  if (known.length === 0 || values.size > MAX_VALUES) return null;
  if (known.every((value) => Object.hasOwn(WORDS, value))) return scale("words", (value) => WORDS[value]);
  const numbers = known.map(Number);
  if (numbers.some(Number.isNaN)) return null;
  const found = SCALES.find(({ accepts, binary }) => accepts(numbers) && !(binary && isRating && !numbers.includes(0)));
  return found ? scale(found.description, (value) => found.label(Number(value))) : null;
}

function scale(description, judge) {
  return { description, labelOf: (value) => name(cleaned(value) === "" ? null : judge(cleaned(value))) };
}

function name(label) {
  return label === null || label === undefined ? null : label ? "positive" : "negative";
}

function cleaned(value) {
  return String(value ?? "").trim().toLowerCase();
}

function within(values, least, most) {
  return values.every((value) => value >= least && value <= most);
}

function graded(value, negative, positive) {
  return value <= negative ? 0 : value >= positive ? 1 : null;
}
