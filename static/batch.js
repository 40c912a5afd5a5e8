// Many reviews: sent in parts of a size that the server takes, shown as they are judged; it can stop and go on.

import { isNoAnswer, post } from "./answer.js";
import { ReadingError } from "./reading.js";

const MOST_REVIEWS = Number(document.body.dataset.mostReviews); // in one request
const LONGEST_REVIEW = Number(document.body.dataset.longestReview); // code points; the server reads no further
const LARGEST_BODY = 450_000; // bytes; the server takes a little more
const OFFLINE = { title: "The site cannot be reached", detail: "Nothing came back. Check your connection, then go on." };
const UNUSABLE = { title: "This file cannot be used", final: true };
const UNREADABLE = { title: "The file cannot be read", detail: "It was moved or changed. Choose it again.", final: true };
const STOPPED = { title: "Stopped", detail: "The results so far are below." };

/** Reviews on their way to a results table. */
export class Batch {
  #requests;
  #pending = null; // a request that has not been answered yet
  #table;

  /** Takes reviews (an async iterable of texts) and the table that shows what becomes of them. */
  constructor(reviews, table) {
    this.#table = table;
    this.#requests = requestsOf(reviews, () => table.skip());
  }

  /** Judges until all is done, the signal says stop, or the server fails; called again, it goes on from there. */
  async run(signal) {
    this.#table.start();
    const problem = await this.#sendAll(signal);
    if (signal.aborted) this.#table.pause(STOPPED);
    else if (problem) this.#table.pause(problem);
    else this.#table.finish();
  }

  async #sendAll(signal) {
    try {
      while ((this.#pending ??= (await this.#requests.next()).value)) {
        const { results, problem } = await send(this.#pending, signal);
        if (problem || signal.aborted) return problem;
        this.#table.add(this.#pending.map(({ review }, place) => ({ review, ...results[place] })));
        this.#pending = null;
      }
      return null;
    } catch (error) {
      if (error instanceof ReadingError) return { ...UNUSABLE, detail: error.message };
      if (error instanceof DOMException) return UNREADABLE; // how browsers say that the file is gone
      throw error;
    }
  }
}

/** Groups reviews into requests, each a list of {review, sent}; `skip` is called for every empty one. */
async function* requestsOf(reviews, skip) {
  let group = [];
  let bytes = 0;
  for await (const line of reviews) {
    const review = line.trim();
    if (!review) {
      skip();
      continue;
    }
    const sent = beginning(review);
    const size = new Blob([JSON.stringify(sent)]).size + 1;
    if (group.length === MOST_REVIEWS || (group.length > 0 && bytes + size > LARGEST_BODY)) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push({ review, sent });
    bytes += size;
  }
  if (group.length > 0) yield group;
}

/** Returns as much of a review as the server needs to see that it is too long. */
function beginning(review) {
  if (review.length <= LONGEST_REVIEW) return review;
  return [...review.slice(0, 2 * LONGEST_REVIEW + 2)].slice(0, LONGEST_REVIEW + 1).join("");
}

/** Sends one request; returns its results in order, or the problem for which it is worth trying again later. */
async function send(group, signal) {
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  const body = JSON.stringify({ reviews: group.map(({ sent }) => sent), explain: false });
  try {
    const response = await post({ headers, body }, signal);
    const document = await response.json();
    if (response.ok) return { results: document.results.map(resultOf) };
    const { title = "The server failed", detail = `It answered with status ${response.status}.` } = document;
    if (response.status === 429 || response.status >= 500) return { problem: { title, detail } };
    return { results: group.map(() => ({ label: "error", score: null, note: detail })) };
  } catch (error) {
    if (isNoAnswer(error) || error instanceof SyntaxError) return { problem: OFFLINE };
    throw error;
  }
}

/** Returns one answer as the table shows it; a score that rests on no known word is not told. */
function resultOf({ error, label, score, known_words: known, warnings }) {
  if (error) return { label: "error", score: null, note: error.detail };
  return { label, score: known > 0 ? score : null, note: warnings.map(({ message }) => message).join(" ") };
}
