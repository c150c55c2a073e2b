/* SPDX-License-Identifier: MIT */
#include "cli/cmd_server.h"
#include "support/unit.h"

enum { WORDS_MAX = 24 };

static struct server_settings settings;
static struct buf lines;
static char words[WORDS_MAX][100];
static struct opt_args args;

/* The words, with blanks between, as a command line. */
static int read(const char *text)
{
    static const struct command command = SERVER_COMMAND;
    char *argv[WORDS_MAX + 1] = {words[0]};
    struct err err = {0};
    int argc = 1;

    snprintf(words[0], sizeof words[0], "server");
    while (*text != '\0') {
        size_t len = strcspn(text, " ");

        snprintf(words[argc], sizeof words[argc], "%.*s", (int)len, text);
        argv[argc] = words[argc];
        argc++;
        text += len + (text[len] == ' ');
    }
    if (opt_parse(&command, argc, argv, &args, &err) != 0) {
        fail_msg("%s", err.msg);
    }
    buf_clear(&lines);
    buf_init(&lines, SERVER_LINES_MAX);
    return server_settings_read(&args, &settings, &lines);
}

static const char *address(unsigned i)
{
    static char text[ADDR_TEXT_MAX];

    return addr_text(&settings.addresses[i], text);
}

static void test_where(void **state)
{
    static const struct {
        const char *words, *first, *second;
        bool local, mock;
    } cases[] = {
        {"", "127.0.0.1:8080", "[::1]:8080", true, true},
        {"--addr :9000", "127.0.0.1:9000", "[::1]:9000", true, true},
        {"--addr=localhost:9000", "127.0.0.1:9000", "[::1]:9000", true, true},
        {"--addr 127.0.0.2:1", "127.0.0.2:1", NULL, true, true},
        {"--addr [::1]:1 --insecure", "[::1]:1", NULL, true, true},
        {"--addr :9000 --no-mock", "127.0.0.1:9000", "[::1]:9000", true, false},
        {"--addr :9000 --insecure", "0.0.0.0:9000", "[::]:9000", false, false},
        {"--addr :9000 --insecure --mock", "0.0.0.0:9000", "[::]:9000", false, true},
        {"--addr 0.0.0.0:9000 --insecure", "0.0.0.0:9000", NULL, false, false},
        {"--addr 10.0.0.1:80 --insecure --auth-mode none", "10.0.0.1:80", NULL, false, false},
        {"--dev", "127.0.0.1:8080", "[::1]:8080", true, true},
        {"--dev --no-mock --auth-mode none", "127.0.0.1:8080", "[::1]:8080", true, false},
        {"--rate-limit 0", "127.0.0.1:8080", "[::1]:8080", true, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (read(cases[i].words) != 0 || lines.len > 0) {
            fail_msg("%s: %s", cases[i].words, buf_c(&lines));
        }
        assert_string_equal(address(0), cases[i].first);
        assert_int_equal(settings.address_count, cases[i].second != NULL ? 2 : 1);
        if (cases[i].second != NULL) {
            assert_string_equal(address(1), cases[i].second);
        }
        assert_int_equal(settings.local, cases[i].local);
        assert_int_equal(settings.mock, cases[i].mock);
    }
}

/* One line for each thing that is wrong, and it says what to do. */
static void test_refusals(void **state)
{
    static const struct {
        const char *words, *text;
        unsigned count;
    } cases[] = {
        {"--addr 0.0.0.0:80", "--addr 0.0.0.0:80 can be reached from other machines", 1},
        {"--addr 10.0.0.1:80", "add --insecure", 1},
        {"--addr [::]:80", "Use :PORT", 1},
        {"--addr nowhere", "expected :PORT or HOST:PORT", 1},
        {"--addr host.example:80", "no IP address", 1},
        {"--addr :99999", "port 0..65535", 1},
        {"--dev --insecure", "--dev: is for this machine only", 1},
        {"--dev --addr 0.0.0.0:80", "--dev: is for this machine only", 1},
        {"--auth-mode api_key", "there are no credentials yet", 1},
        {"--auth-mode jwt", "there are no credentials yet", 1},
        {"--auth-mode x", "must be none, api_key or jwt", 1},
        {"--api-keys k", "--api-keys: there are no credentials yet", 1},
        {"--jwt-secret s", "--jwt-secret: there are no credentials yet", 1},
        {"--enable-agent-ingest", "--enable-agent-ingest: figures of agents", 1},
        {"--agent-tokens t", "--agent-tokens: figures of agents", 1},
        {"--max-total-runs 5", "mcpdrill delete", 1},
        {"--insecure --allow-private-networks 10.0.0.0/33", "blocks as 10.0.0.0/8", 1},
        {"--mock --no-mock", "exclude each other", 1},
        {"--rate-limit x", "--rate-limit", 1},
        {"--allow-origin *", "must be http://HOST", 1},
        {"--allow-origin http://a/b", "must be http://HOST", 1},
        {"--api-keys k --agent-tokens t --addr 0.0.0.0:80", "--agent-tokens", 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned count = 0;

        assert_int_equal(read(cases[i].words), ERR_USAGE);
        for (const char *at = buf_c(&lines); *at != '\0'; at++) {
            count += *at == '\n';
        }
        if (strstr(buf_c(&lines), cases[i].text) == NULL || count != cases[i].count) {
            fail_msg("%s: %s", cases[i].words, buf_c(&lines));
        }
    }
}

static void test_notes(void **state)
{
    static const char *const notes[] = {
        "--rate-limit 100",
        "--rate-burst 200",
        "--max-ops-per-run 1",
        "--max-logs-per-run 1",
        "--allow-private-discovery",
        "--insecure-worker-auth",
        "--redact-assignment-secrets",
        "--allow-private-networks 10.0.0.0/8",
    };

    (void)state;
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        char begin[100];

        assert_int_equal(read(notes[i]), 0);
        snprintf(begin, sizeof begin, "note: %.*s changes nothing: ", (int)strcspn(notes[i], " "),
                 notes[i]);
        if (!str_starts(buf_str(&lines), str_c(begin))) {
            fail_msg("%s", buf_c(&lines));
        }
    }
}

static void test_origins_networks_and_folder(void **state)
{
    (void)state;
    assert_int_equal(read("--insecure --allow-private-networks 10.0.0.0/8,fd00::/8"), 0);
    assert_int_equal(lines.len, 0);
    assert_int_equal(settings.networks.count, 2);
    assert_string_equal(settings.networks.blocks[0], "10.0.0.0/8");
    assert_string_equal(settings.networks.blocks[1], "fd00::/8");
    assert_int_equal(read("--allow-origin http://a --allow-origin=https://b:1 --data-dir /d"), 0);
    assert_int_equal(settings.origin_count, 2);
    assert_string_equal(settings.origins[0], "http://a");
    assert_string_equal(settings.origins[1], "https://b:1");
    assert_string_equal(settings.data_dir, "/d");
    assert_int_equal(read(""), 0);
    assert_null(settings.data_dir);
    assert_int_equal(settings.networks.count, 0);
    buf_clear(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_notes),
        cmocka_unit_test(test_origins_networks_and_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
