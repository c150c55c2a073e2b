/* SPDX-License-Identifier: MIT */
/* A stored result may be any JSON document: its summary and its JUnit report are texts without a
 * character that a terminal or an XML parser would mind. */
#include "fuzz/fuzz.h"
#include "report/files/junit.h"
#include "report/summary/summary.h"

enum { DOCUMENT_MAX = 64 * 1024 };

static void check_characters(const struct buf *text)
{
    for (size_t i = 0; i < text->len; i++) {
        unsigned char c = (unsigned char)text->p[i];
        bool c1 = c == 0xc2 && i + 1 < text->len && (unsigned char)text->p[i + 1] < 0xa0;
        fuzz_require((c >= 0x20 || c == '\n') && c != 0x7f && !c1, "a control character");
    }
}

static void check_summary(const json_t *document, bool utf8)
{
    struct summary_options options = {.style = {.utf8 = utf8, .columns = 100}};
    struct buf text;

    buf_init(&text, SUMMARY_TEXT_MAX);
    int rc = summary_write(document, &options, &text);
    fuzz_require(rc == 0 || rc == ERR_LIMIT, "another failure than a full buffer");
    check_characters(&text);
    buf_clear(&text);
}

static void check_junit(const json_t *document)
{
    struct buf text;

    buf_init(&text, JUNIT_TEXT_MAX);
    int rc = junit_write(document, &text);
    fuzz_require(rc == 0 || rc == ERR_LIMIT, "another failure than a full buffer");
    for (size_t i = 0; i < text.len; i++) {
        fuzz_require((unsigned char)text.p[i] >= 0x20 || text.p[i] == '\n', "no XML");
    }
    buf_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *document = NULL;

    if (json_parse((struct str){(const char *)data, size}, DOCUMENT_MAX, &document, NULL) != 0) {
        return 0;
    }
    check_summary(document, true);
    check_summary(document, false);
    check_junit(document);
    json_decref(document);
    return 0;
}
