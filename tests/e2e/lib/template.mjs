// SPDX-License-Identifier: MIT
//
// The scenario templates of examples/, changed as their guide says, and played in a fraction of their
// time.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootDir } from './process.mjs';

export function template(name) {
  return JSON.parse(readFileSync(join(rootDir, 'examples/scenarios', `${name}.json`), 'utf8'));
}

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

// Which entry of the list a snippet's entry is about: the stage of that kind, the condition of that
// metric, or the one at the same place.
function counterpart(list, entry, index) {
  const same = (name) => entry[name] !== undefined && list.findIndex((one) => one[name] === entry[name]);
  for (const name of ['stage', 'id', 'metric', 'template_id']) {
    const at = same(name);
    if (at !== false && at >= 0) {
      return at;
    }
  }
  if (entry.stop_conditions?.[0]?.metric) {
    const { metric } = entry.stop_conditions[0];
    return list.findLastIndex((one) => one.stop_conditions?.some((condition) => condition.metric === metric));
  }
  return index;
}

// A snippet of the guide pasted into a template.
export function paste(base, snippet) {
  if (Array.isArray(base) && Array.isArray(snippet)) {
    const out = [...base];
    snippet.forEach((entry, index) => {
      const at = isObject(entry) ? counterpart(out, entry, index) : index;
      if (at >= 0 && at < out.length) {
        out[at] = paste(out[at], entry);
      } else {
        out.push(entry);
      }
    });
    return out;
  }
  if (isObject(base) && isObject(snippet)) {
    const out = { ...base };
    for (const [name, value] of Object.entries(snippet)) {
      out[name] = name in base ? paste(base[name], value) : value;
    }
    return out;
  }
  return snippet;
}

// The same scenario against `url`, each time divided by `factor`; stages last `stageMs`, streams have at most
// `events`. Without preflight: it cannot be shortened as much as the rest.
export function shortened(scenario, { url, factor = 20, stageMs = 1500, events = Infinity }) {
  const out = structuredClone(scenario);
  out.target.url = url;
  const { timeouts } = out.target;
  if (timeouts?.stream_stall_timeout_ms) {
    timeouts.stream_stall_timeout_ms = Math.round(timeouts.stream_stall_timeout_ms / factor);
  }
  const think = out.workload.think_time;
  if (think) {
    think.base_ms = Math.round((think.base_ms ?? 0) / factor);
    think.jitter_ms = Math.round((think.jitter_ms ?? 0) / factor);
  }
  for (const { arguments: args } of out.workload.tools.templates) {
    args.interval_ms = Math.round(args.interval_ms / factor);
    args.event_count = Math.min(args.event_count, events);
  }
  out.stages = out.stages.filter(({ stage }) => stage !== 'preflight');
  for (const stage of out.stages) {
    stage.duration_ms = stageMs;
    if (stage.ramp) {
      stage.ramp.step_every_ms = Math.round(stageMs / 10);
      stage.ramp.hold_ms = stage.ramp.step_every_ms;
    }
  }
  return out;
}
