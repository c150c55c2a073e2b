/* SPDX-License-Identifier: MIT */
#include "report/files/hdr.h"
#include "report/files/hlog.h"
#include "unit/report/run_fixture.h"

/* The histogram of the line with this tag; NULL without one. The caller frees it. */
static struct hist_total *find(const char *log, const char *tag, char head[128])
{
    char want[128];
    struct hdr h = {0};
    struct err err = {0};

    snprintf(want, sizeof want, "\nTag=%s,", tag);
    const char *at = strstr(log, want);
    if (at == NULL) {
        return NULL;
    }
    at += strlen(want);
    const char *text = strstr(at, "HISTFAAA");
    snprintf(head, 128, "%.*s", (int)(text - at), at);
    assert_int_equal(hdr_read_text((struct str){text, strcspn(text, "\n")}, &h, &err), 0);
    struct hist_total *t = hist_total_new();
    hdr_add_to(&h, t);
    hdr_clear(&h);
    return t;
}

static void assert_line(const char *log, const char *tag, const char *head, uint64_t count)
{
    char text[128];
    struct hist_total *t = find(log, tag, text);

    if (t == NULL) {
        fail_msg("no line %s in %s", tag, log);
    }
    assert_string_equal(text, head);
    assert_int_equal(t->head.count, count);
    hist_total_free(t);
}

static void test_lines(void **state)
{
    static const char begin[] =
        "#[MCPDrill " MCPDRILL_VERSION ", run_00000000000000010000, values in ns]\n"
        "#[Histogram log format version 1.3]\n"
        "#[StartTime: 1767225600.250 (seconds since epoch), 2026-01-01T00:00:00.250Z]\n"
        "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
        "\"Interval_Compressed_Histogram\"\n"
        "Tag=";
    struct fixture f;
    struct buf out;
    char head[128];

    (void)state;
    fixture_open_rich(&f);
    f.plan->operations[1].template_id = "a b,c:d";
    fixture_rich_run(&f);
    buf_init(&out, HLOG_TEXT_MAX);
    assert_int_equal(hlog_write(&f.run, &out), 0);
    assert_memory_equal(buf_c(&out), begin, sizeof begin - 1);
    assert_line(buf_c(&out), "calm:tools/call:fast_echo:one:response", "0.000,10.000,0.260,", 500);
    assert_line(buf_c(&out), "storm:tools/call:fast_echo:one:service", "10.000,10.000,0.500,", 498);
    assert_line(buf_c(&out), "storm:tools/call:fast_echo:a%20b%2cc%3ad:lag", "10.000,10.000,0.010,",
                500);
    assert_line(buf_c(&out), "run:response", "0.000,20.000,0.510,", 1998);
    assert_null(find(buf_c(&out), "run:event_gap", head));
    buf_clear(&out);
    buf_init(&out, 1000);
    assert_int_equal(hlog_write(&f.run, &out), ERR_LIMIT);
    buf_clear(&out);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
