// The command line that asks the same as the page did.

import { predictUrl } from "./answer.js";

/** Quotes a text for a POSIX shell: nothing inside single quotes is special but the single quote. */
export function shellQuoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Returns a curl command that posts a question as JSON. */
export function curlCommand(question) {
  const header = shellQuoted("Content-Type: application/json");
  return `curl -sS ${shellQuoted(predictUrl())} \\\n  -H ${header} \\\n  -d ${shellQuoted(JSON.stringify(question))}`;
}
