// Writing CSV (RFC 4180) that is safe to open in a spreadsheet.

const RISKY = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/; // a spreadsheet would evaluate it as a formula
const QUOTED = /[",;\r\n\t']/; // some spreadsheets also split at semicolons or tabs

/** Formats records as CSV that is safe to open in a spreadsheet. */
export function csvOf(records) {
  return records.map((record) => record.map(cellOf).join(",")).join("\r\n") + "\r\n";
}

/** Returns the records of a download: the original cells of each row, and its verdict. The first record is the header. */
export function recordsOf(results, { columns }) {
  const width = results.reduce((most, { fields }) => Math.max(most, fields.length), columns?.length ?? 0);
  const names = Array.from({ length: width }, (_, place) => columns?.[place] ?? (width === 1 ? "review" : `column ${place + 1}`));
  const added = ["line", "verdict", "probability_of_positive", "note", "file"].map((name) => unused(name, names));
  const rows = results.map(({ line, file, fields, label, score, note }) => {
    const cells = Array.from({ length: width }, (_, place) => fields[place] ?? "");
    return [line, ...cells, label, score ?? "", note, file ?? ""];
  });
  return [[added[0], ...names, ...added.slice(1)], ...rows];
}

/** Returns the name of a download: `reviews.csv` is `reviews-verdicts.csv`. */
export function downloadName(name) {
  const stem = name.split(/[/\\]/).at(-1).replace(/\.[^.]*$/, "");
  return stem ? `${stem}-verdicts.csv` : "verdicts.csv";
}

function unused(name, names) {
  let free = name;
  for (let count = 2; names.includes(free); count += 1) free = `${name}_${count}`;
  return free;
}

function cellOf(value) {
  const text = String(value);
  const safe = RISKY.test(text) ? `'${text}` : text;
  return QUOTED.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
