/* SPDX-License-Identifier: MIT */
#include "scenario/issues/issue.h"

#include "base/mem.h"
#include "scenario/issues/codes.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { MESSAGE_MAX = 6200 };

void issue_list_clear(struct issue_list *list)
{
    arena_clear(&list->arena_);
    xfree(list->items);
    *list = (struct issue_list){0};
}

static const char *copy_or_empty(struct issue_list *list, const char *s)
{
    return s == NULL ? "" : arena_strdup(&list->arena_, s);
}

void issue_addv(struct issue_list *list, const struct issue *head, const char *message, va_list ap)
{
    char text[MESSAGE_MAX];

    *(head->level == ISSUE_ERROR ? &list->error_count : &list->warning_count) += 1;
    if (list->count == ISSUES_MAX) {
        list->dropped_++;
        return;
    }
    if (list->count == list->capacity_) {
        list->capacity_ = list->capacity_ == 0 ? 16 : list->capacity_ * 2;
        list->items = xrealloc(list->items, list->capacity_ * sizeof *list->items);
    }
    assert(issue_code_find(head->code) != NULL);
    vsnprintf(text, sizeof text, message, ap);
    struct issue *issue = &list->items[list->count++];
    *issue = *head;
    issue->code = arena_strdup(&list->arena_, head->code);
    issue->message = arena_strdup(&list->arena_, text);
    issue->json_pointer = copy_or_empty(list, head->json_pointer);
    issue->remediation = copy_or_empty(list, head->remediation);
    issue->place_ = head->place_ == NULL ? NULL : arena_strdup(&list->arena_, head->place_);
    issue->file = head->file == NULL ? NULL : arena_strdup(&list->arena_, head->file);
}

void issue_add(struct issue_list *list, const struct issue *head, const char *message, ...)
{
    va_list ap;

    va_start(ap, message);
    issue_addv(list, head, message, ap);
    va_end(ap);
}

static bool is_duplicate(const struct err *err)
{
    return strncmp(err->msg, "duplicate object key", 20) == 0;
}

/* Is it the end of a message about a key that is there twice, and the key a name? */
static bool ends_in_name(const char *quote)
{
    static const char words[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-$";
    static const char open[] = " near '\"";
    size_t len = sizeof open - 1;

    return strncmp(quote, open, len) == 0 &&
           strcmp(quote + len + strspn(quote + len, words), "\"'") == 0;
}

/* The library quotes what it stumbled over, which may be half of a password. Line and column say
 * where that is; only the name of a key that is there twice is worth more than it costs. */
const char *issue_syntax_text(const struct err *err, char out[ISSUE_SYNTAX_MAX])
{
    const char *quote = strstr(err->msg, " near '");
    bool whole = quote == NULL || (is_duplicate(err) && ends_in_name(quote));

    snprintf(out, ISSUE_SYNTAX_MAX, "%.*s", whole ? (int)strlen(err->msg) : (int)(quote - err->msg),
             err->msg);
    return out;
}

void issue_add_syntax(struct issue_list *list, const struct err *err, const char *file)
{
    bool duplicate = is_duplicate(err);
    char text[ISSUE_SYNTAX_MAX];
    const struct issue head = {
        .level = ISSUE_ERROR,
        .code = duplicate ? "DUPLICATE_KEY" : "SYNTAX_ERROR",
        .remediation = duplicate ? "Remove one of the two." : "Correct the JSON text.",
        .file = file,
        .line = err->line,
        .col = err->col,
    };

    issue_add(list, &head, "%s", issue_syntax_text(err, text));
}

bool issue_has_error(const struct issue_list *list, const char *json_pointer)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].level == ISSUE_ERROR &&
            strcmp(list->items[i].json_pointer, json_pointer) == 0) {
            return true;
        }
    }
    return false;
}

bool issue_has_code(const struct issue_list *list, const char *json_pointer, const char *code)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].code, code) == 0 &&
            strcmp(list->items[i].json_pointer, json_pointer) == 0) {
            return true;
        }
    }
    return false;
}

static int compare_issues(const void *left, const void *right)
{
    const struct issue *a = left, *b = right;

    if (a->line != b->line) {
        return a->line < b->line ? -1 : 1;
    }
    if (a->col != b->col) {
        return a->col < b->col ? -1 : 1;
    }
    int by_code = strcmp(a->code, b->code);
    if (by_code != 0) {
        return by_code;
    }
    int by_place = strcmp(a->json_pointer, b->json_pointer);
    return by_place != 0 ? by_place : strcmp(a->message, b->message);
}

void issue_list_finish(struct issue_list *list)
{
    if (list->count > 1) {
        qsort(list->items, list->count, sizeof *list->items, compare_issues);
    }
    if (list->dropped_ == 0) {
        return;
    }
    /* The last place is needed for the note, so one more is not shown. */
    list->items[list->count - 1] = (struct issue){
        .level = list->error_count > 0 ? ISSUE_ERROR : ISSUE_WARNING,
        .code = "TOO_MANY_ISSUES",
        .message = arena_printf(&list->arena_, "%zu more issues are not shown", list->dropped_ + 1),
        .json_pointer = "",
        .remediation = "Correct the ones above first.",
    };
    list->dropped_ = 0;
}

static json_t *issue_json(const struct issue *issue)
{
    json_t *out = json_object();

    json_object_set_new(out, "level",
                        json_string(issue->level == ISSUE_ERROR ? "error" : "warning"));
    json_object_set_new(out, "code", json_string(issue->code));
    json_object_set_new(out, "message", json_string(issue->message));
    json_object_set_new(out, "json_pointer", json_string(issue->json_pointer));
    json_object_set_new(out, "remediation", json_string(issue->remediation));
    if (issue->file != NULL) {
        json_object_set_new(out, "file", json_string(issue->file));
    }
    if (issue->line > 0) {
        json_object_set_new(out, "line", json_integer(issue->line));
        json_object_set_new(out, "col", json_integer(issue->col));
    }
    return out;
}

json_t *issue_list_json(const struct issue_list *list)
{
    json_t *out = json_object(), *errors = json_array(), *warnings = json_array();

    for (size_t i = 0; i < list->count; i++) {
        const struct issue *issue = &list->items[i];

        json_array_append_new(issue->level == ISSUE_ERROR ? errors : warnings, issue_json(issue));
    }
    json_object_set_new(out, "ok", json_boolean(list->error_count == 0));
    json_object_set_new(out, "errors", errors);
    json_object_set_new(out, "warnings", warnings);
    return out;
}

int issue_write(const struct issue *issue, const char *file, struct buf *out)
{
    size_t before = out->len;
    int rc = buf_add_c(out, issue->file != NULL ? issue->file : file);

    if (rc == 0 && issue->line > 0) {
        rc = buf_printf(out, ":%u:%u", issue->line, issue->col);
    }
    if (rc == 0) {
        rc = buf_printf(out, ": %s %s", issue->level == ISSUE_ERROR ? "error" : "warning",
                        issue->code);
    }
    if (rc == 0 && issue->json_pointer[0] != '\0') {
        rc = buf_printf(out, " at %s", issue->json_pointer);
    }
    if (rc == 0) {
        rc = buf_printf(out, ": %s\n", issue->message);
    }
    if (rc == 0 && issue->remediation[0] != '\0') {
        rc = buf_printf(out, "    %s\n", issue->remediation);
    }
    if (rc != 0) {
        out->len = before;
    }
    return rc;
}
