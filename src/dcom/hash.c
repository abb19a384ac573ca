#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dcom/dcom_priv.h"

#define FIRST_BUCKETS 64

/* Keys are random already. */
static size_t
bucket_of(const struct dcom_hash *h, const uint8_t key[16])
{
	return (size_t)get_u64le(key) & (h->n_buckets - 1);
}

static int
grow(struct dcom_hash *h)
{
	struct dcom_hash next = { .n = h->n,
		.n_buckets = h->n_buckets == 0 ? FIRST_BUCKETS : 2 * h->n_buckets };

	next.buckets = calloc(next.n_buckets, sizeof(*next.buckets));
	if (next.buckets == NULL)
		return -1;
	for (size_t i = 0; i < h->n_buckets; i++) {
		struct dcom_node *node = h->buckets[i];

		while (node != NULL) {
			struct dcom_node *following = node->next;
			size_t b = bucket_of(&next, node->key);

			node->next = next.buckets[b];
			next.buckets[b] = node;
			node = following;
		}
	}
	free(h->buckets);
	*h = next;
	return 0;
}

int
dcom_hash_add(struct dcom_hash *h, struct dcom_node *node)
{
	size_t b;

	if (h->n >= h->n_buckets && grow(h) != 0)
		return -1;
	b = bucket_of(h, node->key);
	node->next = h->buckets[b];
	h->buckets[b] = node;
	h->n++;
	return 0;
}

struct dcom_node *
dcom_hash_find(const struct dcom_hash *h, const uint8_t key[16])
{
	if (h->n_buckets == 0)
		return NULL;
	for (struct dcom_node *node = h->buckets[bucket_of(h, key)]; node != NULL; node = node->next) {
		if (memcmp(node->key, key, sizeof(node->key)) == 0)
			return node;
	}
	return NULL;
}

void
dcom_hash_remove(struct dcom_hash *h, struct dcom_node *node)
{
	struct dcom_node **at = &h->buckets[bucket_of(h, node->key)];

	while (*at != node) {
		assert(*at != NULL);
		at = &(*at)->next;
	}
	*at = node->next;
	h->n--;
}

void
dcom_hash_fini(struct dcom_hash *h)
{
	free(h->buckets);
	*h = (struct dcom_hash){ 0 };
}
