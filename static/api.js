// The API page with JavaScript: the form that sends a request, and the buttons that copy an example.

import { isNoResponse, post } from "./answer.js";

const form = document.getElementById("try");
const sendButton = form.querySelector("button");
const status = form.querySelector('[role="status"]');
const output = form.querySelector("pre");

/** Sends the JSON body of the form, and shows the response. */
async function send() {
  sendButton.setAttribute("aria-disabled", true);
  status.textContent = "Sending…";
  try {
    const headers = { "Content-Type": "application/json", Accept: "application/json" };
    const response = await post({ headers, body: form.elements.body.value }, new AbortController().signal);
    output.firstElementChild.textContent = indented(await response.text());
    output.hidden = false;
    status.textContent = `Status ${response.status}, ${response.headers.get("Content-Type")}`;
  } catch (error) {
    if (!isNoResponse(error)) throw error;
    output.hidden = true;
    status.textContent = "There was no response. Check your connection, then try again.";
  } finally {
    sendButton.removeAttribute("aria-disabled");
  }
}

/** Indents a JSON text; returns any other text as it is. */
function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** Copies an example, or selects it if the browser does not allow that. */
async function copy(button) {
  const code = document.querySelector(`[data-example="${button.dataset.copy}"]`);
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.firstChild.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(code);
    button.firstChild.textContent = "Selected: press Ctrl+C to copy";
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!sendButton.hasAttribute("aria-disabled")) send();
});
form.hidden = false;
document.getElementById("needs-script").hidden = true;
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", () => copy(button));
  button.hidden = false;
}
