// Writing CSV (RFC 4180) that is safe to open in a spreadsheet.

const RISKY = /^[=+\-@\t\r]/; // a spreadsheet would evaluate it as a formula

/** Formats records as CSV that is safe to open in a spreadsheet. */
export function csvOf(records) {
  return records.map((record) => record.map(cellOf).join(",")).join("\r\n") + "\r\n";
}

function cellOf(value) {
  const text = String(value);
  const safe = RISKY.test(text) ? `'${text}` : text;
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
