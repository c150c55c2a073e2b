/* SPDX-License-Identifier: MIT */
/* One operation as the log of operations and the list of the slowest keep it. */
#ifndef METRICS_SAMPLE_H
#define METRICS_SAMPLE_H

#include "metrics/outcome.h"

enum { SAMPLE_MESSAGE_MAX = 160 };

struct op_sample {
    struct outcome outcome; /* `message` is empty: it stands below */
    uint16_t message_len;
    char message[SAMPLE_MESSAGE_MAX]; /* as it came, without control characters; not terminated */
};

#endif
