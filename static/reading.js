// Reading reviews from the text box, or from files of any size without loading them whole.

import { isKnownHeader, labelColumn, mayBeHeader, normalised, reviewColumns } from "./columns.js";
import { ReadingError, encodingOf, linesOf, withLineFeeds } from "./decoding.js";
import { MAX_VALUES, scaleOf } from "./labels.js";
import { SAMPLE_ROWS, dialectOf, keysOf, numbered, otherQuotings, recordsOf } from "./records.js";

const PREVIEW_ROWS = 3;
const KINDS = { csv: "table", tsv: "table", txt: "lines", jsonl: "json", ndjson: "json", json: "json" }; // by the file's ending

export { ReadingError };

/** Returns the source of the reviews in a text, one per line. */
export function textSource(text) {
  return {
    name: "",
    bytes: text.length,
    count: text.split(/\r\n|\n|\r/).length,
    columns: null,
    reviewColumn: 0,
    labelColumn: null,
    scale: null,
    warnings: [],
    rows: numbered(linesOf(withLineFeeds([text])), (line) => ({ review: line, fields: [line] })),
  };
}

/**
 * Checks files from start to end, and returns the source of their reviews; null if the user cancels. Throws a ReadingError.
 *
 * The source has `name`, `bytes`, `count` (rows), `columns` (names or null), `reviewColumn`, `labelColumn` (or null), `scale`
 * of the labels (see labels.js; or null), `warnings` (texts) and `rows`: {file, line, review, fields}, where `line` is
 * the line of the file on which the row begins. `chooseColumn(preview)` returns {column, hasHeader}, or null to cancel; it
 * is called if the column of the reviews is not obvious, or if quotes are missing.
 */
export async function openSource(files, { chooseColumn }) {
  try {
    const tables = [];
    for (const file of files) tables.push(await inspect(file));
    requireSameColumns(tables);
    const choice = await chosen(tables, chooseColumn);
    return choice && sourceOf(tables, choice);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    throw new ReadingError("The file cannot be read. It was moved or changed: choose it again.");
  }
}

function requireSameColumns(tables) {
  const [first, ...others] = tables;
  const columnsOf = ({ kind, columns, first: row }) => JSON.stringify(columns ?? [kind === "lines" ? 1 : row.length]);
  const other = others.find((table) => columnsOf(table) !== columnsOf(first));
  if (other) throw new ReadingError(`${first.file.name} and ${other.file.name} have different columns. Choose one of them at a time.`);
}

/** Returns {column, hasHeader} for the tables: what is obvious, or else what the user chooses. */
async function chosen(tables, chooseColumn) {
  const [table] = tables;
  const { column, isObvious, hasHeader } = suggestion(table);
  const warnings = warningsOf(tables);
  if (isObvious && tables.every(({ quoteProblems }) => quoteProblems === 0)) return { column, hasHeader };
  const rows = table.sample.slice(0, PREVIEW_ROWS + 1);
  const canHaveHeader = table.kind === "table";
  return chooseColumn({ name: nameOf(tables), columns: table.columns, rows, column, hasHeader, canHaveHeader, warnings });
}

/** Returns the likely column of the reviews, whether it is obvious, and whether the first row is a header. */
function suggestion(table) {
  if (table.kind === "lines") return { column: 0, isObvious: true, hasHeader: false };
  const { columns, sample, textual } = table;
  const hasHeader = columns !== null;
  const named = reviewColumns(columns ?? []).filter((place) => textual.has(place));
  if (named.length === 1) return { column: named[0], isObvious: true, hasHeader };
  if (table.kind === "table" && table.first.length === 1 && !hasHeader && !mayBeHeader(table.first)) {
    return { column: 0, isObvious: true, hasHeader };
  }
  const longest = [...textual].sort((one, other) => lengthOf(sample, other) - lengthOf(sample, one))[0];
  return { column: named[0] ?? longest, isObvious: false, hasHeader: hasHeader || (table.kind === "table" && mayBeHeader(table.first)) };
}

function lengthOf(rows, column) {
  return rows.reduce((sum, row) => sum + (row[column] ?? "").length, 0);
}

function sourceOf(tables, { column, hasHeader }) {
  const [{ kind, first }] = tables;
  const columns = tables[0].columns ?? (hasHeader && kind === "table" ? first : null);
  const label = columns && labelColumn(columns);
  const values = label === null ? null : union(tables.map(({ values: found }) => found[label] ?? new Set()));
  const isHeader = kind === "table" && hasHeader;
  return {
    name: nameOf(tables),
    bytes: tables.reduce((sum, { file }) => sum + file.size, 0),
    count: tables.reduce((sum, { count }) => sum + count, 0) - (isHeader ? tables.length : 0),
    columns,
    reviewColumn: column,
    labelColumn: label,
    scale: values && scaleOf(values, !/^(label|sentiment)$/.test(normalised(columns[label]))),
    warnings: warningsOf(tables),
    rows: rowsOf(tables, column, isHeader),
  };
}

function union(sets) {
  return new Set(sets.flatMap((set) => [...set]));
}

function nameOf([{ file }, ...others]) {
  return others.length === 0 ? file.name : `${file.name} and ${others.length} more`;
}

function warningsOf(tables) {
  const prefix = ({ file }) => (tables.length > 1 ? `${file.name}: ` : "");
  return tables.flatMap((table) => table.warnings.map((warning) => prefix(table) + warning));
}

async function* rowsOf(tables, column, isHeader) {
  for (const table of tables) {
    let skip = isHeader;
    for await (const { line, cells } of recordsOf(table)) {
      if (!skip) yield { file: table.file.name, line, review: cells[column] ?? "", fields: cells };
      skip = false;
    }
  }
}

/** Reads a file once; returns its format, columns, first rows, labels and warnings. */
async function inspect(file) {
  const kind = KINDS[/\.(\w+)$/.exec(file.name.toLowerCase())?.[1]] ?? (file.type === "text/plain" ? "lines" : null);
  if (!kind) throw new ReadingError("Choose a file whose name ends in .csv, .tsv, .jsonl or .txt. A spreadsheet can be saved as CSV.");
  const encoding = await encodingOf(file);
  const format = { file, encoding, ...(await dialectOf(file, kind, encoding)) };
  const table = await inspectAs(format);
  if (table.quoteProblems === 0) return table;
  for (const quoting of otherQuotings(format)) {
    const other = await inspectAs({ ...format, quoting });
    if (other.quoteProblems === 0) return other;
  }
  return table;
}

async function inspectAs(format) {
  const { file, kind } = format;
  const tally = new Tally();
  const table = { ...format, first: null, columns: null, sample: [], textual: new Set(), values: {}, count: 0, filled: 0 };
  if (kind === "json") table.keys = await keysOf(format);
  for await (const record of recordsOf(table)) {
    tally.take(record);
    addRecord(table, record, tally);
  }
  if (table.count === 0 || table.first === null) throw new ReadingError(`${file.name} is empty: it has no reviews.`);
  if (kind === "json") table.columns = table.keys;
  else if (kind === "table" && isKnownHeader(table.first)) table.columns = table.first;
  if (kind === "table" && table.filled === 1 && (table.columns || mayBeHeader(table.first))) throw new ReadingError(`${file.name} has a header, but no rows below it.`);
  if (table.textual.size === 0) throw new ReadingError(`${file.name} has no column of text: its cells are numbers or empty.`);
  const encodingNote = format.encoding === "windows-1252" ? ["The file is not UTF-8, so it was read as Windows-1252."] : [];
  return { ...table, quoteProblems: tally.quoteProblems, warnings: [...encodingNote, ...tally.warnings()] };
}

function addRecord(table, { line, cells }, tally) {
  table.count += 1;
  const isBlank = cells.length === 1 && !cells[0].trim();
  table.filled += isBlank ? 0 : 1;
  if (table.first === null) {
    if (!isBlank) table.first = cells;
  } else if (table.kind === "table" && !isBlank && cells.length !== table.first.length) {
    tally.add("ragged", line, `${cells.length} ${cells.length === 1 ? "cell" : "cells"} instead of ${table.first.length}`);
  }
  if (!isBlank && table.sample.length < SAMPLE_ROWS) table.sample.push(cells);
  const isHeader = table.kind === "table" && table.first === cells && (isKnownHeader(cells) || mayBeHeader(cells));
  if (!isHeader) notice(table, cells);
}

/** Notes which columns have text, and the values of those that may be labels. */
function notice(table, cells) {
  for (const [place, cell] of cells.entries()) {
    if (/\p{L}/u.test(cell)) table.textual.add(place);
    const values = (table.values[place] ??= new Set());
    if (values.size <= MAX_VALUES) values.add(cell.trim().slice(0, 40).toLowerCase());
  }
}

/** The problems of a file by kind, each with its first line and their number. */
class Tally {
  #found = new Map();

  add(kind, line, detail) {
    const found = this.#found.get(kind) ?? { line, detail, count: 0 };
    this.#found.set(kind, { ...found, count: found.count + 1 });
  }

  take({ line, problem, detail }) {
    if (problem) this.add(problem, line, detail);
  }

  get quoteProblems() {
    return ["unclosed", "stray", "joined"].reduce((sum, kind) => sum + (this.#found.get(kind)?.count ?? 0), 0);
  }

  warnings() {
    return [...this.#found].map(([kind, { line, detail, count }]) => {
      const more = count > 1 ? ` ${(count - 1).toLocaleString("en")} more rows have this problem.` : "";
      return `Line ${line}: ${WARNINGS[kind](detail)}${more}`;
    });
  }
}

const WARNINGS = {
  ragged: (detail) => `the row has ${detail}.`,
  unclosed: () => "a quote is opened and never closed, so the rest of the file is one row.",
  stray: () => "a quote inside a quoted cell is not doubled, so rows may be joined.",
  joined: (detail) => `a quote may be missing: one row spans ${detail} lines.`,
  json: () => "the line is not a JSON object and is skipped.",
};
