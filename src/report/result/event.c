/* SPDX-License-Identifier: MIT */
#include "report/result/event.h"

/* Members of what is not known, or has nothing to do with the event, are null. */
static json_t *correlation(const struct run_event *event)
{
    return json_pack("{ss?ss?ss?snsn}", "stage", event->stage, "stage_id", event->stage_id,
                     "worker_id", json_string_value(json_object_get(event->payload, "worker_id")),
                     "vu_id", "session_id");
}

json_t *result_event_json(const struct plan_identity *identity, const struct run_event *event)
{
    const char *execution = identity->execution_id[0] != '\0' ? identity->execution_id : NULL;

    json_t *line = json_pack("{sssssIssss?ssssso}", "schema_version", "event/v1", "event_id",
                             event->id, "ts_ms", (json_int_t)event->ts_ms, "run_id",
                             identity->run_id, "execution_id", execution, "type", event->type,
                             "actor", event->actor, "correlation", correlation(event));

    if (event->payload != NULL) {
        json_object_set(line, "payload", event->payload);
    } else {
        json_object_set_new(line, "payload", json_object());
    }
    json_object_set_new(line, "evidence", json_array());
    return line;
}
