/*
 * libcrypto.so.3, as far as partclone calls it: SHA-1, for the list of pieces that BitTorrent
 * wants, which FOS never asks for. Debian's library is 4.7 MB, a quarter of the initial disk
 * that each machine unpacks at each boot. The build refuses a partclone that calls anything
 * else.
 *
 * The functions are those of OpenSSL's EVP_DigestInit(3): 1 is success, an object belongs to
 * whoever called EVP_MD_CTX_new and ends by EVP_MD_CTX_free.
 */
#include <nettle/sha1.h>

#include <stdlib.h>

struct evp_md_st {
	unsigned size;
};

struct evp_md_ctx_st {
	struct sha1_ctx sha1;
};

const struct evp_md_st *EVP_sha1(void);
struct evp_md_ctx_st *EVP_MD_CTX_new(void);
void EVP_MD_CTX_free(struct evp_md_ctx_st *context);
int EVP_MD_CTX_reset(struct evp_md_ctx_st *context);
int EVP_DigestInit(struct evp_md_ctx_st *context, const struct evp_md_st *type);
int EVP_DigestUpdate(struct evp_md_ctx_st *context, const void *bytes, size_t length);
int EVP_DigestFinal(struct evp_md_ctx_st *context, unsigned char *digest, unsigned *size);

const struct evp_md_st *EVP_sha1(void)
{
	static const struct evp_md_st sha1 = {.size = SHA1_DIGEST_SIZE};

	return &sha1;
}

struct evp_md_ctx_st *EVP_MD_CTX_new(void)
{
	return calloc(1, sizeof(struct evp_md_ctx_st));
}

void EVP_MD_CTX_free(struct evp_md_ctx_st *context)
{
	free(context);
}

int EVP_MD_CTX_reset(struct evp_md_ctx_st *context)
{
	sha1_init(&context->sha1);
	return 1;
}

int EVP_DigestInit(struct evp_md_ctx_st *context, const struct evp_md_st *type)
{
	if (type != EVP_sha1())
		return 0;
	return EVP_MD_CTX_reset(context);
}

int EVP_DigestUpdate(struct evp_md_ctx_st *context, const void *bytes, size_t length)
{
	sha1_update(&context->sha1, length, bytes);
	return 1;
}

int EVP_DigestFinal(struct evp_md_ctx_st *context, unsigned char *digest, unsigned *size)
{
	sha1_digest(&context->sha1, SHA1_DIGEST_SIZE, digest);
	if (size)
		*size = SHA1_DIGEST_SIZE;
	return 1;
}
