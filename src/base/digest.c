/* SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include <assert.h>
#include <openssl/evp.h>

bool digest_hex(const char *algorithm, struct str data, char *out)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    const EVP_MD *md = EVP_get_digestbyname(algorithm);

    if (md == NULL || EVP_Digest(data.p, data.len, raw, &len, md, NULL) != 1) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = hex[raw[i] >> 4];
        out[2 * i + 1] = hex[raw[i] & 15];
    }
    out[2 * (size_t)len] = '\0';
    return true;
}

void digest_sha256_hex(struct str data, char out[65])
{
    char text[DIGEST_HEX_MAX + 1];
    bool ok = digest_hex("sha256", data, text);

    assert(ok);
    memcpy(out, text, 65);
}
