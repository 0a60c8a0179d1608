// nettle, narrowed to what Hashing asks: whole inputs in, digests out.
#ifndef CNETTLE_SHIM_H
#define CNETTLE_SHIM_H

#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/pbkdf2.h>
#include <nettle/sha2.h>
#include <stddef.h>
#include <stdint.h>

static inline void cnettle_sha256(const uint8_t *bytes, size_t count, uint8_t *digest) {
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, count, bytes);
    sha256_digest(&context, SHA256_DIGEST_SIZE, digest);
}

static inline void cnettle_sha512(const uint8_t *bytes, size_t count, uint8_t *digest) {
    struct sha512_ctx context;
    sha512_init(&context);
    sha512_update(&context, count, bytes);
    sha512_digest(&context, SHA512_DIGEST_SIZE, digest);
}

static inline void cnettle_hmac_sha256(
    const uint8_t *key, size_t key_count, const uint8_t *bytes, size_t count, uint8_t *digest) {
    struct hmac_sha256_ctx context;
    hmac_sha256_set_key(&context, key_count, key);
    hmac_sha256_update(&context, count, bytes);
    hmac_sha256_digest(&context, SHA256_DIGEST_SIZE, digest);
}

static inline void cnettle_hmac_sha512(
    const uint8_t *key, size_t key_count, const uint8_t *bytes, size_t count, uint8_t *digest) {
    struct hmac_sha512_ctx context;
    hmac_sha512_set_key(&context, key_count, key);
    hmac_sha512_update(&context, count, bytes);
    hmac_sha512_digest(&context, SHA512_DIGEST_SIZE, digest);
}

static inline void cnettle_pbkdf2_sha256(
    const uint8_t *key, size_t key_count, unsigned iterations, const uint8_t *salt, size_t salt_count,
    uint8_t *output, size_t count) {
    pbkdf2_hmac_sha256(key_count, key, iterations, salt_count, salt, count, output);
}

static inline void cnettle_pbkdf2_sha512(
    const uint8_t *key, size_t key_count, unsigned iterations, const uint8_t *salt, size_t salt_count,
    uint8_t *output, size_t count) {
    pbkdf2_hmac_sha512(key_count, key, iterations, salt_count, salt, count, output);
}

/// Whether two areas of one length hold the same, in a time that doesn't tell where they differ.
static inline int cnettle_equal(const uint8_t *left, const uint8_t *right, size_t count) {
    return memeql_sec(left, right, count);
}

#endif
