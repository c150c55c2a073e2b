/* SPDX-License-Identifier: MIT */
/*
 * Diagnostics on stderr: "level component: key=value …". Library folders return errors instead;
 * only worker/, control/, mock/ and cli/ log. Nothing above debug on the operation path.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Messages above this level are dropped; default LOG_WARN. Set before threads start. */
void log_set_level(enum log_level level);

void log_at(enum log_level level, const char *component, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

#endif
