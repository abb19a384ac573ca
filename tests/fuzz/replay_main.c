/* Plain main for a fuzz target: replays every file of the folders and files named on the command line. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	long n;
	int ret = -1;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (n = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) != 0)
		goto out;
	data = malloc(n > 0 ? (size_t)n : 1); /* exact size, so that ASan sees one octet too many */
	if (data == NULL || fread(data, 1, (size_t)n, f) != (size_t)n)
		goto out;
	LLVMFuzzerTestOneInput(data, (size_t)n);
	ret = 0;
out:
	if (ret != 0)
		perror(path);
	free(data);
	if (f != NULL)
		fclose(f);
	return ret;
}

int
main(int argc, char **argv)
{
	unsigned count = 0;

	for (int i = 1; i < argc; i++) {
		struct stat st;
		DIR *d;

		if (stat(argv[i], &st) == 0 && S_ISREG(st.st_mode)) {
			if (replay_file(argv[i]) != 0)
				return 1;
			count++;
			continue;
		}
		d = opendir(argv[i]);
		if (d == NULL) {
			perror(argv[i]);
			return 1;
		}
		for (struct dirent *en; (en = readdir(d)) != NULL;) {
			char path[4096];

			if (en->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "%s/%s", argv[i], en->d_name);
			if (replay_file(path) != 0)
				return 1;
			count++;
		}
		closedir(d);
	}
	printf("%s: %u seeds replayed\n", argv[0], count);
	return count > 0 ? 0 : 1;
}
