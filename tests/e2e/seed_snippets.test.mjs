// SPDX-License-Identifier: MIT
//
// Every customization of the streaming guide, pasted into its template: valid as it stands, and played
// in a twentieth of its time.
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertRan, mcpdrill, run, writeScenario } from './lib/mcpdrill.mjs';
import { startMock } from './lib/mock.mjs';
import { paste, shortened, template } from './lib/template.mjs';

const templates = (entry) => ({ workload: { tools: { templates: [entry] } } });

const customizations = [
  {
    title: 'heavy load: more of it',
    base: 'sse-heavy-load',
    snippet: { stages: [{ stage: 'ramp', load: { target_vus: 500 }, ramp: { step_vus: 100 } }] },
    check: ({ result }) => assert.equal(result.stages.at(-1).planned.vus, 500),
  },
  {
    title: 'heavy load: longer streams',
    base: 'sse-heavy-load',
    snippet: templates({ arguments: { event_count: 200, interval_ms: 50 } }),
    check: ({ result: { totals } }) => assert.equal(totals.events_received_total, totals.operations_total * 201),
  },
  {
    title: 'heavy load: a larger pool',
    base: 'sse-heavy-load',
    snippet: { session_policy: { mode: 'pool', pool_size: 200 } },
    check: async ({ mock }) => assert.ok((await mock.stats()).sessions_max_open > 100),
  },
  {
    title: 'churn: more aggressive',
    base: 'sse-with-churn',
    snippet: { workload: { think_time: { mode: 'fixed', base_ms: 100 } } },
    check: ({ result: { totals } }) => assert.equal(totals.session_reuse_rate, 0),
  },
  {
    title: 'churn: a longer soak',
    base: 'sse-with-churn',
    snippet: { stages: [{ stage: 'soak', duration_ms: 600000 }] },
    check: ({ result }) => assert.equal(result.state, 'completed'),
  },
  {
    title: 'churn: less often',
    base: 'sse-with-churn',
    snippet: { session_policy: { mode: 'churn', churn_interval_ops: 5 } },
    check: ({ result: { totals } }) => {
      const sessions = totals.operations_total / 5;
      // A session that is not used up when its VU ends serves fewer.
      assert.ok(
        totals.sessions_created >= sessions && totals.sessions_created <= sessions + 71,
        `${totals.sessions_created} sessions for ${totals.operations_total} operations`,
      );
    },
  },
  {
    title: 'stalls: more sensitive',
    base: 'stream-stall-test',
    snippet: { target: { timeouts: { stream_stall_timeout_ms: 5000 } } },
    code: 4,
    check: ({ result: { totals } }) => assert.ok(totals.stream_stall_count >= 5),
  },
  {
    title: 'stalls: recovery',
    base: 'stream-stall-test',
    snippet: templates({ arguments: { event_count: 10, interval_ms: 8000 } }),
    // A fifth of the time, so that an event which comes late by a part of a second is no stall.
    factor: 5,
    events: 3,
    // The streams recover, so the criterion that there be stalls is not met; the run comes to its end.
    code: 4,
    check: ({ result: { totals, state } }) => {
      assert.equal(state, 'completed');
      assert.equal(totals.stream_stall_count, 0);
      assert.equal(totals.stream_completion_rate, 1);
    },
  },
  {
    title: 'stalls: a higher threshold',
    base: 'stream-stall-test',
    snippet: { stages: [{ stop_conditions: [{ metric: 'stream_stall_count', threshold: 20 }] }] },
    stageMs: 6000,
    code: 4,
    check: ({ result: { totals } }) => assert.ok(totals.stream_stall_count >= 20),
  },
];

for (const { title, base, snippet, code = 0, check, ...short } of customizations) {
  test(title, async (t) => {
    const scenario = paste(template(base), snippet);
    const valid = await mcpdrill(['validate', writeScenario(scenario)]);
    assert.equal(valid.code, 0, `${valid.stdout}\n${valid.stderr}`);
    const mock = await startMock(t);
    const end = await run(shortened(scenario, { url: mock.url, ...short }));
    if (code === 0) {
      assertRan(end);
    } else {
      assert.equal(end.code, code, end.said);
    }
    await check({ ...end, mock });
  });
}

test('patterns for other targets are valid, or say what they need', async () => {
  const custom = paste(template('sse-heavy-load'), {
    workload: {
      tools: {
        templates: [
          {
            template_id: 'event-stream',
            tool_name: 'your_streaming_tool',
            weight: 1,
            arguments: { your_param: 'value' },
            expects_streaming: true,
          },
        ],
      },
    },
    stages: [
      {
        stage: 'baseline',
        stop_conditions: [
          {
            id: 'custom-condition',
            metric: 'your_metric',
            comparator: '>',
            threshold: 100,
            window_ms: 30000,
            sustain_windows: 2,
            scope: {},
          },
        ],
      },
    ],
  });
  const wrong = await mcpdrill(['validate', writeScenario(custom)]);
  assert.equal(wrong.code, 2);
  assert.match(`${wrong.stdout}${wrong.stderr}`, /your_metric/, 'a metric of that name does not exist');
  custom.stages
    .find(({ stage }) => stage === 'baseline')
    .stop_conditions.find(({ id }) => id === 'custom-condition').metric = 'stream_stall_count';
  const right = await mcpdrill(['validate', writeScenario(custom)]);
  assert.equal(right.code, 0, `${right.stdout}\n${right.stderr}`);
});
