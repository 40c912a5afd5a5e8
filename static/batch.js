// Judging many reviews: in requests of a size that the server accepts, with stop and resume.

import { isNoResponse, post } from "./answer.js";
import { ReadingError } from "./reading.js";

const MAX_REVIEWS = Number(document.body.dataset.maxReviews); // in one request
const MAX_REVIEW_LENGTH = Number(document.body.dataset.maxReviewLength); // code points; the server ignores the rest
const MAX_BODY_BYTES = 450_000; // the server accepts a little more
const OFFLINE = { title: "The site cannot be reached", detail: "There was no response. Check your connection, then resume." };
const RETRY_SECONDS = [5, 15, 45]; // before each retry, where the server does not state a time
const UNUSABLE = { title: "This file cannot be used", final: true };
const UNREADABLE = { title: "The file cannot be read", detail: "It was moved or changed. Choose it again.", final: true };
const STOPPED = { title: "Stopped", detail: "The results so far are below." };

/** The requests of many reviews, whose results are added to a table. */
export class Batch {
  #requests;
  #pending = null; // the reviews of a request without a response
  #retries = 0; // since the last response
  #table;

  /** Takes rows (an async iterable of {line, review, fields}) and the table of results. */
  constructor(rows, table) {
    this.#table = table;
    this.#requests = requestsOf(rows, (row) => table.skip(row));
  }

  /** Judges until all reviews are done, the signal aborts it, or the server fails again and again. Called again, it resumes. */
  async run(signal) {
    this.#table.start();
    this.#retries = 0;
    for (;;) {
      const problem = await this.#sendAll(signal);
      if (signal.aborted) return this.#table.pause(STOPPED);
      if (!problem) return this.#table.finish();
      if (problem.final || this.#retries === RETRY_SECONDS.length) return this.#table.pause(problem);
      await this.#table.countDown(problem, problem.retryAfterSeconds ?? RETRY_SECONDS[this.#retries], signal);
      this.#retries += 1;
    }
  }

  async #sendAll(signal) {
    try {
      while ((this.#pending ??= (await this.#requests.next()).value)) {
        const { results, problem } = await send(this.#pending, signal);
        if (problem || signal.aborted) return problem;
        this.#table.add(this.#pending.map(({ sent, ...row }, place) => ({ ...row, ...results[place] })));
        this.#pending = null;
        this.#retries = 0;
      }
      return null;
    } catch (error) {
      if (error instanceof ReadingError) return { ...UNUSABLE, detail: error.message };
      if (error instanceof DOMException) return UNREADABLE; // the file was moved or changed
      throw error;
    }
  }
}

/** Groups rows into requests, each a list of {line, review, fields, sent}; calls `skip` for every blank review. */
async function* requestsOf(rows, skip) {
  let group = [];
  let bytes = 0;
  for await (const row of rows) {
    const review = row.review.trim();
    if (!review) {
      skip(row);
      continue;
    }
    const sent = truncated(review);
    const size = new Blob([JSON.stringify(sent)]).size + 1;
    if (group.length === MAX_REVIEWS || (group.length > 0 && bytes + size > MAX_BODY_BYTES)) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push({ ...row, review, sent });
    bytes += size;
  }
  if (group.length > 0) yield group;
}

/** Truncates a review to one character more than the server reads, so that the server warns about it. */
function truncated(review) {
  if (review.length <= MAX_REVIEW_LENGTH) return review;
  return [...review.slice(0, 2 * MAX_REVIEW_LENGTH + 2)].slice(0, MAX_REVIEW_LENGTH + 1).join("");
}

/** Sends a request; returns its results in order, or the problem if the request can be retried. */
async function send(group, signal) {
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  const body = JSON.stringify({ reviews: group.map(({ sent }) => sent), explain: false });
  try {
    const response = await post({ headers, body }, signal);
    const document = await response.json();
    if (response.ok) return { results: document.results.map(resultOf) };
    const { title = "The server failed", detail = `It returned status ${response.status}.` } = document;
    if (response.status === 429 || response.status >= 500) {
      return { problem: { title, detail, retryAfterSeconds: Number(response.headers.get("Retry-After")) || undefined } };
    }
    return { results: group.map(() => ({ label: "error", score: null, note: detail })) };
  } catch (error) {
    if (isNoResponse(error) || error instanceof SyntaxError) return { problem: OFFLINE };
    throw error;
  }
}

/** Returns a result for the table, without a score if the model knows none of the words. */
function resultOf({ error, label, score, known_words: known, warnings }) {
  if (error) return { label: "error", score: null, note: error.detail };
  return { label, score: known > 0 ? score : null, note: warnings.map(({ message }) => message).join(" ") };
}
