/* Runs a fuzz target over every file of a corpus folder: the ordinary run's share of fuzzing.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *folder, const char *name)
{
	char path[4096];
	FILE *file;
	uint8_t *data;
	size_t size;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	data = malloc(1 << 20);
	if (!file || !data) {
		perror(path);
		exit(1);
	}
	size = fread(data, 1, 1 << 20, file);
	(void)fclose(file);
	/* an allocation of the exact size lets the sanitizer see every step past the end */
	data = realloc(data, size ? size : 1);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 1;
}

int main(int argc, char **argv)
{
	DIR *folder = argc > 1 ? opendir(argv[1]) : NULL;
	struct dirent *entry;
	int count = 0;

	if (!folder) {
		(void)fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
		return 2;
	}
	while ((entry = readdir(folder)))
		count += entry->d_name[0] != '.' ? replay(argv[1], entry->d_name) : 0;
	(void)closedir(folder);
	printf("%d inputs replayed\n", count);
	return count > 0 ? 0 : 1;
}
