/* SPDX-License-Identifier: MIT */
/* An event of a run as a document: format event/v1, a line of events.ndjson and of the API. */
#ifndef REPORT_RESULT_EVENT_H
#define REPORT_RESULT_EVENT_H

#include "base/json.h"
#include "control/run.h"

/* A new reference. An execution that has no id yet is null. */
json_t *result_event_json(const struct plan_identity *identity, const struct run_event *event);

#endif
