// SPDX-License-Identifier: MIT
//
// What the mock saw over time (GET /stats/history): a sample of what was open for each 50 ms.
import { getJson } from './mock.mjs';

// The samples as objects, the oldest first: {ts_ms, http_requests, tool_calls, sessions_opened,
// streams_open, sessions_open, connections_open, calls_open}.
export async function historyOf(mock, sinceMs = 0) {
  const { columns, samples } = await getJson(`${mock.url}/stats/history?since_ms=${Math.floor(sinceMs)}`);
  return samples.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])));
}

// When the member first went above the value; NaN if it never did.
export function crossing(history, name, value) {
  return history.find((sample) => sample[name] > value)?.ts_ms ?? Number.NaN;
}

// When the member was above the value for the last time.
export function lastAbove(history, name, value) {
  return history.findLast((sample) => sample[name] > value)?.ts_ms ?? Number.NaN;
}

// The member's values within a stretch of time.
export function between(history, name, fromMs, toMs) {
  return history.filter(({ ts_ms: at }) => at >= fromMs && at <= toMs).map((sample) => sample[name]);
}

export function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
