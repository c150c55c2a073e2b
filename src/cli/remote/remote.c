/* SPDX-License-Identifier: MIT */
#include "cli/remote/remote.h"

#include "report/result/document.h"
#include "report/text/text.h"
#include "scenario/issues/issue.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SAID_MAX ((size_t)8 * 1024 * 1024)

enum { PATH_MAX_BYTES = 512, DETAIL_COLUMNS = 400, RUNS_ASKED = 1000 };

static const struct clock real_clock = {0};

/* ---- saying -----------------------------------------------------------------------------------
 */

/* Line by line, without control characters. */
static void print_safe(struct str text)
{
    struct buf safe;

    buf_init(&safe, SAID_MAX * 3);
    while (text.len > 0) {
        const char *end = memchr(text.p, '\n', text.len);
        size_t len = end != NULL ? (size_t)(end - text.p) : text.len;

        if (text_add_safe(&safe, (struct str){text.p, len}, len) != 0 ||
            buf_add_c(&safe, "\n") != 0) {
            break;
        }
        len += end != NULL;
        text = (struct str){text.p + len, text.len - len};
    }
    fwrite(buf_c(&safe), 1, safe.len, stderr);
    buf_clear(&safe);
}

void remote_say(const struct remote *r, const char *fmt, ...)
{
    struct buf text;
    va_list ap;

    buf_init(&text, SAID_MAX);
    buf_printf(&text, "mcpdrill %s: ", r->command);
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    print_safe(buf_str(&text));
    buf_clear(&text);
}

/* ---- what the control plane says is wrong -----------------------------------------------------
 */

/* As `validate` prints them; the text is here, so the control plane knows no lines. */
static void add_issues(const struct remote *r, const json_t *list, struct buf *out)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        const char *level = json_string_value(json_object_get(one, "level"));
        const char *remedy = json_string_value(json_object_get(one, "remediation"));
        const char *pointer = json_string_value(json_object_get(one, "json_pointer"));
        const char *code = json_string_value(json_object_get(one, "code"));
        const char *message = json_string_value(json_object_get(one, "message"));
        struct issue issue = {
            .level = level != NULL && strcmp(level, "warning") == 0 ? ISSUE_WARNING : ISSUE_ERROR,
            .code = code != NULL ? code : "",
            .message = message != NULL ? message : "",
            .json_pointer = pointer != NULL ? pointer : "",
            .remediation = remedy != NULL ? remedy : "",
        };

        issue_write(&issue, r->document != NULL ? r->document : r->command, out);
    }
}

/* The further members of an error, one in a line: texts, numbers, lists of those. */
static void add_details(const json_t *details, const char *message, struct buf *out)
{
    const char *key;
    json_t *value;

    /* NOLINTNEXTLINE(performance-no-int-to-ptr): it is only read */
    json_object_foreach((json_t *)(uintptr_t)details, key, value)
    {
        const char *text = json_string_value(value);
        struct buf shown;

        if (text != NULL && strstr(message, text) != NULL) {
            continue; /* it has been said */
        }
        buf_init(&shown, SAID_MAX);
        if (text != NULL) {
            buf_add_c(&shown, text);
        } else {
            json_write(value, &shown);
        }
        buf_printf(out, "    %s: ", key);
        text_add_safe(out, buf_str(&shown), DETAIL_COLUMNS);
        buf_add_c(out, "\n");
        buf_clear(&shown);
    }
}

static int code_of(const struct http_outcome *o, const char *error_code)
{
    if (strcmp(error_code, "NO_CAPACITY") == 0) {
        return REMOTE_NO_WORKERS;
    }
    return o->status == 400 || o->status == 413 || o->status == 415 ? REMOTE_WRONG : REMOTE_REFUSED;
}

static int say_error(const struct remote *r, const struct http_outcome *o, const json_t *error)
{
    const char *message = json_string_value(json_object_get(error, "error_message"));
    const char *code = json_string_value(json_object_get(error, "error_code"));
    const json_t *details = json_object_get(error, "details");
    bool invalid = strcmp(code, "VALIDATION_FAILED") == 0;
    struct buf text;

    message = message != NULL ? message : "";
    buf_init(&text, SAID_MAX);
    if (invalid) {
        add_issues(r, json_object_get(details, "errors"), &text);
        add_issues(r, json_object_get(details, "warnings"), &text);
    }
    buf_printf(&text, "mcpdrill %s: %s (%s)\n", r->command, message, code);
    if (!invalid) {
        add_details(details, message, &text);
    }
    print_safe(buf_str(&text));
    buf_clear(&text);
    return code_of(o, code);
}

int remote_complain(const struct remote *r, const struct http_outcome *o)
{
    json_t *error = NULL;
    int code = REMOTE_UNREACHABLE;

    if (o->failure != HTTP_ASK_ANSWERED) {
        remote_say(r, "%s", o->text);
        if (o->failure == HTTP_ASK_UNREACHABLE) {
            fputs(
                "    is a control plane running there? \"mcpdrill server\" starts one; --endpoint "
                "says where it is\n",
                stderr);
        }
        return code;
    }
    if (json_parse(o->body, REMOTE_ANSWER_MAX, &error, NULL) == 0 &&
        json_is_string(json_object_get(error, "error_code"))) {
        code = say_error(r, o, error);
    } else {
        remote_say(r, "%s does not answer as a control plane does: status %d, %.*s",
                   http_api_url(r->api), o->status,
                   o->content_type.len > 0 ? (int)o->content_type.len : 15,
                   o->content_type.len > 0 ? o->content_type.p : "no content type");
    }
    json_decref(error);
    return code;
}

/* ---- the conversation -------------------------------------------------------------------------
 */

int remote_open(struct remote *r, const char *command, const struct endpoint *endpoint)
{
    struct err err = {0};

    *r = (struct remote){.command = command, .endpoint = *endpoint};
    if (loop_new(&real_clock, &r->loop, &err) != 0) {
        remote_say(r, "%s", err.msg);
        return REMOTE_REFUSED;
    }
    if (http_api_new(r->loop, str_c(endpoint->url), STR("User-Agent: mcpdrill\r\n"), &r->api,
                     &err) != 0) {
        remote_say(r, "%s", err.msg);
        return REMOTE_WRONG;
    }
    return REMOTE_DONE;
}

void remote_close(struct remote *r)
{
    http_api_free(r->api);
    if (r->catches_) {
        signals_clear(&r->signals_);
    }
    loop_free(r->loop);
    *r = (struct remote){0};
}

static void on_signal(struct signals *signals, int signo)
{
    struct remote *r = list_entry(signals, struct remote, signals_);

    r->signo = signo;
    loop_stop(r->loop);
}

int remote_catch_signals(struct remote *r)
{
    struct err err = {0};

    if (signals_init(&r->signals_, r->loop, on_signal, &err) != 0) {
        remote_say(r, "%s", err.msg);
        return REMOTE_REFUSED;
    }
    r->catches_ = true;
    return REMOTE_DONE;
}

struct pause {
    struct timer timer;
    struct loop *loop;
};

static void on_pause(struct timer *t)
{
    loop_stop(list_entry(t, struct pause, timer)->loop);
}

bool remote_pause(struct remote *r, uint64_t ns)
{
    struct pause p = {.loop = r->loop};

    timer_init(&p.timer, on_pause);
    loop_timer_arm(r->loop, &p.timer, loop_clock(r->loop) + ns);
    loop_run(r->loop);
    loop_timer_cancel(r->loop, &p.timer);
    return r->signo == 0;
}

struct asking {
    struct remote *remote;
    json_t **out;
    bool patient; /* a failure that may pass is not complained about */
    int code;
    bool passes;
    bool over;
};

static int take_answer(struct asking *a, const struct http_outcome *o)
{
    struct err err = {0};

    if (o->failure != HTTP_ASK_ANSWERED || o->status < 200 || o->status > 299) {
        return remote_complain(a->remote, o);
    }
    a->remote->answered = true;
    if (o->status == 204 || a->out == NULL) {
        return REMOTE_DONE;
    }
    if (json_parse(o->body, REMOTE_ANSWER_MAX, a->out, &err) != 0) {
        remote_say(a->remote, "%s does not answer as a control plane does: %s",
                   http_api_url(a->remote->api), err.msg);
        return REMOTE_UNREACHABLE;
    }
    return REMOTE_DONE;
}

bool remote_passes(const struct remote *r, const struct http_outcome *o)
{
    bool broken = o->failure == HTTP_ASK_UNREACHABLE || o->failure == HTTP_ASK_BROKEN ||
                  o->failure == HTTP_ASK_TIMEOUT;

    return r->answered && (broken || (o->failure == HTTP_ASK_ANSWERED && o->status >= 500));
}

/* Once for each absence. */
static void tell_away(struct remote *r, const struct http_outcome *o)
{
    if (r->gone_ns == 0) {
        r->gone_ns = loop_clock(r->loop);
        r->absences++;
        remote_say(r, "%s; trying again for %u s",
                   o->text != NULL ? o->text : "the control plane is not ready",
                   (unsigned)(REMOTE_PATIENCE_NS / NS_PER_S));
    }
}

static void on_answer(void *owner, const struct http_outcome *outcome)
{
    struct asking *a = owner;

    a->passes = a->patient && remote_passes(a->remote, outcome);
    if (a->passes) {
        tell_away(a->remote, outcome);
    } else {
        a->code = take_answer(a, outcome);
    }
    a->over = true;
    loop_stop(a->remote->loop);
}

/* False when a signal came first. */
static bool ask_once(struct asking *a, const struct http_ask *ask)
{
    struct remote *r = a->remote;
    struct http_transfer *t = http_api_ask(r->api, ask, on_answer, a);

    loop_run(r->loop);
    if (!a->over) {
        http_transfer_cancel(t);
    }
    return a->over;
}

static int ask(struct remote *r, const struct http_ask *ask, json_t **out)
{
    struct asking a = {.remote = r, .out = out};

    return ask_once(&a, ask) ? a.code : 128 + r->signo;
}

int remote_look(struct remote *r, const char *path, json_t **out)
{
    struct http_ask what = {.path = str_c(path), .answer_max_bytes = REMOTE_ANSWER_MAX};
    struct asking a;

    *out = NULL;
    for (;;) {
        bool patient = r->gone_ns == 0 || loop_clock(r->loop) - r->gone_ns < REMOTE_PATIENCE_NS;

        a = (struct asking){.remote = r, .out = out, .patient = patient};
        if (!ask_once(&a, &what)) {
            return 128 + r->signo;
        }
        if (!a.passes) {
            break;
        }
        if (!remote_pause(r, NS_PER_S)) {
            return 128 + r->signo;
        }
    }
    if (a.code == REMOTE_DONE && r->gone_ns != 0) {
        remote_say(r, "%s is there again", http_api_url(r->api));
        r->gone_ns = 0;
    }
    return a.code;
}

int remote_get(struct remote *r, const char *path, json_t **out)
{
    struct http_ask what = {.path = str_c(path), .answer_max_bytes = REMOTE_ANSWER_MAX};

    *out = NULL;
    return ask(r, &what, out);
}

int remote_send(struct remote *r, const char *method, const char *path, json_t *body, json_t **out)
{
    struct http_ask what = {
        .method = method, .path = str_c(path), .answer_max_bytes = REMOTE_ANSWER_MAX};
    bool has_body = body != NULL;
    struct buf text;

    buf_init(&text, REMOTE_BODY_MAX);
    if (out != NULL) {
        *out = NULL;
    }
    int rc = has_body ? json_write(body, &text) : 0;
    json_decref(body);
    if (rc == 0) {
        what.content_type = has_body ? STR("application/json") : STR("");
        what.body = buf_str(&text);
        rc = ask(r, &what, out);
    } else {
        remote_say(r, "the request is larger than %zu bytes, which a control plane takes",
                   REMOTE_BODY_MAX);
        rc = REMOTE_WRONG;
    }
    buf_clear(&text);
    return rc;
}

/* ---- runs by a word ---------------------------------------------------------------------------
 */

static int look_up(struct remote *r, const char *word, bool last, char id[RUN_ID_MAX + 1])
{
    char path[PATH_MAX_BYTES];
    struct err err = {0};
    json_t *answer;

    if (last) {
        snprintf(path, sizeof path, "/runs?order=desc&limit=1");
    } else {
        snprintf(path, sizeof path, "/runs?order=desc&limit=%d&q=%s", RUNS_ASKED, word);
    }
    int rc = remote_get(r, path, &answer);
    if (rc == REMOTE_DONE &&
        run_id_pick(json_object_get(answer, "runs"), str_c(word), id, &err) != 0) {
        remote_say(r, "%s", err.msg);
        rc = err.code == ERR_USAGE ? REMOTE_WRONG : REMOTE_REFUSED;
    }
    json_decref(answer);
    return rc;
}

int remote_find_run(struct remote *r, const char *word, char id[RUN_ID_MAX + 1])
{
    enum run_word kind = run_id_word(str_c(word));

    if (kind == RUN_WORD_WRONG) {
        remote_say(r,
                   "\"%.80s\" names no run: an id, its beginning, or \"last\" is expected "
                   "(\"mcpdrill list\" shows them)",
                   word);
        return REMOTE_WRONG;
    }
    if (kind == RUN_WORD_WHOLE) {
        snprintf(id, RUN_ID_MAX + 1, "%s", word);
        return REMOTE_DONE;
    }
    return look_up(r, word, kind == RUN_WORD_LAST, id);
}
