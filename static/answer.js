// Asks for an answer as the form would, and puts the page's own answer in place: the server renders, nothing here does.

const LONGEST_WAIT_MS = 35_000; // the gateway gives up after 29 s

/**
 * Posts the form and returns the document that the server answered with, errors included; null when nothing
 * usable came back in time or the signal cancelled the wait.
 */
export async function ask(form, signal) {
  try {
    const body = new URLSearchParams(new FormData(form));
    const response = await post({ headers: { Accept: "text/html" }, body }, signal);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return page.getElementById("answer") ? page : null;
  } catch (error) {
    if (isNoAnswer(error)) return null;
    throw error;
  }
}

/** Posts to the server, and gives up when the signal says so or it takes too long. */
export function post(request, signal) {
  const limit = new AbortController();
  setTimeout(() => limit.abort(), LONGEST_WAIT_MS);
  signal.addEventListener("abort", () => limit.abort());
  return fetch(predictUrl(), { method: "POST", ...request, signal: limit.signal });
}

/** Tells the errors of a request that got no answer: no connection, cancelled, or too slow. */
export function isNoAnswer(error) {
  return error instanceof TypeError || error.name === "AbortError";
}

/** Where reviews are sent, as an absolute address. */
export function predictUrl() {
  return new URL("predict", document.baseURI).href;
}

/** Puts the answer of another document into this one, and says it aloud. */
export function showAnswer(page) {
  document.title = page.title;
  show(...page.getElementById("answer").childNodes);
}

/** Says that nothing came back; the text stays in the box. */
export function showOffline() {
  show(document.getElementById("offline").content.cloneNode(true));
}

/** Fills the answer's place and brings it into view. */
export function show(...nodes) {
  const place = document.getElementById("answer");
  place.replaceChildren(...nodes);
  announce(place.querySelector(".verdict h2, .verdict .lead") ? spoken(place) : "");
  place.querySelector(".scale, .detail, h2")?.scrollIntoView({ block: "nearest" });
}

/** Tells screen readers something short. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

function spoken(place) {
  const line = (selector) => place.querySelector(selector)?.textContent.trim() ?? "";
  return `${line("h2")}. ${line(".lead")}`;
}
