// Submits the form without a reload, and shows the answer that the server rendered.

const TIMEOUT_MS = 35_000; // the gateway gives up after 29 s

/**
 * Posts the form and returns the server's page, which may show an error; null if there was no usable response in time
 * or the signal aborted the request.
 */
export async function submitForm(form, signal) {
  try {
    const body = new URLSearchParams(new FormData(form));
    const response = await post({ headers: { Accept: "text/html" }, body }, signal);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return page.getElementById("answer") ? page : null;
  } catch (error) {
    if (isNoResponse(error)) return null;
    throw error;
  }
}

/** Posts to an address of the server, until the signal aborts the request or it takes too long. */
export function post(request, signal, url = predictUrl()) {
  const limit = new AbortController();
  setTimeout(() => limit.abort(), TIMEOUT_MS);
  signal.addEventListener("abort", () => limit.abort());
  return fetch(url, { method: "POST", ...request, signal: limit.signal });
}

/** Returns whether an error means that there was no response: no connection, aborted, or too slow. */
export function isNoResponse(error) {
  return error instanceof TypeError || error.name === "AbortError";
}

/** Returns the absolute URL that reviews are posted to. */
export function predictUrl() {
  return new URL("predict", document.baseURI).href;
}

/** Shows the answer of another document in this one, and announces it to screen readers. */
export function showAnswer(page) {
  document.title = page.title;
  show(...page.getElementById("answer").childNodes);
}

/** Shows that there was no response; the text stays in the box. */
export function showOffline() {
  show(document.getElementById("offline").content.cloneNode(true));
}

/** Shows why something was not judged ({title, detail}). */
export function showProblem({ title, detail }) {
  const panel = document.getElementById("problem").content.cloneNode(true);
  panel.querySelector("h2").textContent = title;
  panel.querySelector(".detail").textContent = detail;
  show(panel);
}

/** Replaces the answer and scrolls it into view. */
export function show(...nodes) {
  const place = document.getElementById("answer");
  place.replaceChildren(...nodes);
  announce(place.querySelector(".verdict h2, .verdict .lead") ? announcement(place) : "");
  const { top } = place.getBoundingClientRect();
  if (nodes.length > 0 && (top < 0 || top > innerHeight / 4)) place.scrollIntoView({ block: "start" });
  keepFocus(place);
}

/** Moves the focus to a place if the focused element was removed or hidden. */
export function keepFocus(place) {
  const { activeElement } = document;
  if (activeElement === document.body || activeElement.offsetParent === null) place.focus({ preventScroll: true });
}

/** Announces a short text to screen readers. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

function announcement(place) {
  const line = (selector) => place.querySelector(selector)?.textContent.trim() ?? "";
  return `${line("h2")}. ${line(".lead")}`;
}
