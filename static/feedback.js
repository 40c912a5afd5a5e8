// Sends feedback on a verdict without a reload. Without JavaScript the form works too.

import { isNoResponse, post } from "./answer.js";

const FAILED = "Your answer could not be sent. Check your connection, then press the button again.";
const sending = new WeakSet(); // forms

/** Sends a form with the button that was pressed, and returns what to show: the server's sentence, and success. */
async function send(form, button) {
  const body = new URLSearchParams(new FormData(form));
  body.set(button.name, button.value);
  try {
    const request = { headers: { Accept: "application/json" }, body };
    const url = new URL("feedback", document.baseURI).href;
    const response = await post(request, new AbortController().signal, url);
    const { detail } = await response.json();
    return { ok: response.ok && Boolean(detail), sentence: detail || FAILED };
  } catch (error) {
    if (isNoResponse(error) || error instanceof SyntaxError) return { ok: false, sentence: FAILED };
    throw error;
  }
}

/** Shows the result in the form; after a failure, the buttons stay. */
function show(form, { ok, sentence }) {
  const result = form.querySelector('[data-part="feedback-result"]');
  result.textContent = sentence;
  if (!ok) return;
  for (const element of form.querySelectorAll('[data-part="feedback-choices"], #feedback-notice')) element.remove();
  result.focus({ preventScroll: true });
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches('[data-part="feedback"]')) return;
  event.preventDefault();
  if (sending.has(form)) return;
  sending.add(form);
  try {
    show(form, await send(form, event.submitter));
  } finally {
    sending.delete(form);
  }
});
