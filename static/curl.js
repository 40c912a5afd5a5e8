// The curl command of a request to the API.

import { predictUrl } from "./answer.js";

/** Quotes a text for a POSIX shell: inside single quotes only the single quote is special. */
export function shellQuoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Returns a curl command that posts a request as JSON. */
export function curlCommand(request) {
  const header = shellQuoted("Content-Type: application/json");
  return `curl -sS ${shellQuoted(predictUrl())} \\\n  -H ${header} \\\n  -d ${shellQuoted(JSON.stringify(request))}`;
}
