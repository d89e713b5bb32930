#include "tftpd/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/path.h"
#include "io/beneath.h"
#include "io/log.h"
#include "tftpd/leftovers.h"
#include "tftpd/netascii.h"
#include "tftpd/resolve.h"
#include "tftpd/source.h"

#define FILE_MODE 0644
#define DESCRIPTOR_SIZE 32 /* "/proc/self/fd/" and a number */

struct upload {
	uv_work_t work;
	struct upload_options options;
	void *owner;
	int folder;
	int file; /* -1 until the first octets are written */
	char name[PATH_SIZE];
	uint64_t offset; /* of what is kept, within the file */
	size_t length;
	struct netascii netascii;
	bool is_working, is_last;
	atomic_bool is_released;
	int error; /* of the work: an errno, or 0 */
	uint8_t kept[];
};

/* ---- in another thread: the loop's touches nothing of it meanwhile but is_released */

static int make_file(struct upload *upload)
{
	if (upload->file < 0)
		upload->file = openat(upload->folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC,
				      FILE_MODE);
	return upload->file < 0 ? errno : 0;
}

static int write_kept(struct upload *upload)
{
	for (size_t done = 0; done < upload->length;) {
		ssize_t put = pwrite(upload->file, upload->kept + done, upload->length - done,
				     (off_t)(upload->offset + done));

		if (put < 0 && errno != EINTR)
			return errno;
		done += put > 0 ? (size_t)put : 0;
	}
	return 0;
}

/* O_TMPFILE's way to a name, without the capability that AT_EMPTY_PATH wants. */
static int link_as(const struct upload *upload, const char *name)
{
	char descriptor[DESCRIPTOR_SIZE];

	(void)snprintf(descriptor, sizeof(descriptor), "/proc/self/fd/%d", upload->file);
	return linkat(AT_FDCWD, descriptor, upload->folder, name, AT_SYMLINK_FOLLOW) < 0 ? errno
											 : 0;
}

/* Over the old file, in one step. */
static int replace(const struct upload *upload)
{
	char name[sizeof(RESOLVE_UNFINISHED) + 16];
	uint64_t number;
	int error;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return errno;
	(void)snprintf(name, sizeof(name), RESOLVE_UNFINISHED "%016" PRIx64, number);
	leftovers_claim(upload->file);
	error = link_as(upload, name);
	if (error != 0)
		return error;
	if (renameat(upload->folder, name, upload->folder, upload->name) == 0)
		return 0;
	error = errno;
	(void)unlinkat(upload->folder, name, 0);
	return error;
}

static int publish(struct upload *upload)
{
	int error = 0;

	if (fsync(upload->file) < 0)
		return errno;
	if (atomic_load(&upload->is_released))
		return ECANCELED;
	error = link_as(upload, upload->name);
	if (error == EEXIST && upload->options.may_replace)
		error = replace(upload);
	if (error == 0 && fsync(upload->folder) < 0)
		error = errno;
	return error;
}

static void store(uv_work_t *work)
{
	struct upload *upload = work->data;

	upload->error = make_file(upload);
	if (upload->error == 0)
		upload->error = write_kept(upload);
	if (upload->error == 0 && upload->is_last)
		upload->error = publish(upload);
}

/* The last of an unfinished file goes with its descriptor: that can take a while, too. */
static void close_file(uv_work_t *work)
{
	struct upload *upload = work->data;

	if (upload->file >= 0)
		(void)close(upload->file);
	(void)close(upload->folder);
}

/* ---- in the loop's */

static struct upload_problem problem_of(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
		return (struct upload_problem){PACKET_DISK_FULL, "the disk is full", error};
	case EFBIG:
		return (struct upload_problem){PACKET_DISK_FULL,
					       "it is larger than files can be here", error};
	case EEXIST:
		return (struct upload_problem){PACKET_EXISTS,
					       "a file of that name was made meanwhile", error};
	case EACCES:
	case EPERM:
	case EROFS:
	case EISDIR:
		return (struct upload_problem){
			PACKET_ACCESS, "the server may not write it: see its log", error};
	case EOPNOTSUPP:
		return (struct upload_problem){
			PACKET_UNDEFINED,
			"the server's file system cannot take it: see its log", error};
	default:
		return (struct upload_problem){
			PACKET_UNDEFINED, "the server could not store it: see its log", error};
	}
}

static void on_closed(uv_work_t *work, int status)
{
	(void)status;
	free(work->data);
}

static void close_upload(struct upload *upload)
{
	if (uv_queue_work(&upload->options.loop->uv, &upload->work, close_file, on_closed) == 0)
		return;
	close_file(&upload->work);
	free(upload);
}

static void on_work_done(uv_work_t *work, int status)
{
	struct upload *upload = work->data;
	struct upload_problem problem = problem_of(upload->error);

	(void)status;
	upload->is_working = false;
	if (atomic_load(&upload->is_released)) {
		close_upload(upload);
		return;
	}
	upload->offset += upload->length;
	upload->length = 0;
	upload->options.on_stored(upload->options.data, upload->owner,
				  upload->error == 0 ? NULL : &problem);
}

enum err upload_store(struct upload *upload, bool is_last)
{
	upload->is_last = is_last;
	if (is_last && upload->options.is_netascii)
		upload->length +=
			netascii_end(&upload->netascii, upload->kept + upload->length);
	if (uv_queue_work(&upload->options.loop->uv, &upload->work, store, on_work_done) != 0)
		return ERR_SYSTEM;
	upload->is_working = true;
	return ERR_OK;
}

void upload_keep(struct upload *upload, const void *octets, size_t length)
{
	uint8_t *at = upload->kept + upload->length;

	if (upload->options.is_netascii) {
		upload->length += netascii_decode(&upload->netascii, octets, length, at);
		return;
	}
	if (length > 0)
		memcpy(at, octets, length);
	upload->length += length;
}

void upload_set_owner(struct upload *upload, void *owner)
{
	upload->owner = owner;
}

void upload_release(struct upload *upload)
{
	if (!upload)
		return;
	atomic_store(&upload->is_released, true);
	if (!upload->is_working)
		close_upload(upload);
}

/* ---- where it may lie */

static bool refuse(struct upload_problem *ret_problem, enum packet_code code,
		   const char *reason)
{
	*ret_problem = (struct upload_problem){code, reason, 0};
	return false;
}

/* The folder that the path names beneath the root; -1 with errno. */
static int open_folder(const char *root_path, const char *path, size_t folder_length)
{
	int root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char folder[PATH_SIZE] = ".";
	int opened, saved;

	if (root < 0)
		return -1;
	if (folder_length > 0) {
		memcpy(folder, path, folder_length);
		folder[folder_length] = '\0';
	}
	opened = beneath_open(root, folder, O_RDONLY | O_DIRECTORY);
	saved = errno;
	(void)close(root);
	errno = saved;
	return opened;
}

static bool judge_folder(int error, struct upload_problem *ret_problem)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return refuse(ret_problem, PACKET_NOT_FOUND,
			      "there is no such folder for uploads: it must be made first");
	case EXDEV:
	case ELOOP:
		return refuse(ret_problem, PACKET_ACCESS,
			      "a link leads out of the folder for uploads");
	default:
		*ret_problem = problem_of(error);
		return false;
	}
}

/* Is there something of that name, and may it be replaced? */
static bool is_free(const struct upload *upload, struct upload_problem *ret_problem)
{
	struct stat status;

	if (faccessat(upload->folder, ".", W_OK | X_OK, AT_EACCESS) < 0) {
		*ret_problem = problem_of(errno);
		return false;
	}
	if (fstatat(upload->folder, upload->name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return true;
		*ret_problem = problem_of(errno);
		return false;
	}
	if (!S_ISREG(status.st_mode))
		return refuse(ret_problem, PACKET_ACCESS,
			      "there is a folder or a link of that name");
	if (!upload->options.may_replace)
		return refuse(ret_problem, PACKET_EXISTS,
			      "there is a file of that name, and none is replaced here");
	return true;
}

enum err upload_open(const struct upload_options *options, const char *path,
		     struct upload **ret_upload, struct upload_problem *ret_problem)
{
	const char *slash = strrchr(path, '/');
	/* a carriage return may be held back from one window to the next */
	struct upload *upload = malloc(sizeof(*upload) + options->window_bytes + 2);
	enum err err = ERR_REFUSED;

	if (!upload)
		return ERR_MEMORY;
	memset(upload, 0, sizeof(*upload));
	atomic_init(&upload->is_released, false);
	upload->work.data = upload;
	upload->options = *options;
	upload->file = -1;
	(void)snprintf(upload->name, sizeof(upload->name), "%s", slash ? slash + 1 : path);
	upload->folder = open_folder(options->root, path, slash ? (size_t)(slash - path) : 0);
	if (upload->folder < 0)
		(void)judge_folder(errno, ret_problem);
	else if (is_free(upload, ret_problem))
		err = ERR_OK;
	if (err == ERR_OK) {
		*ret_upload = upload;
		return ERR_OK;
	}
	if (upload->folder >= 0)
		(void)close(upload->folder);
	free(upload);
	return err;
}

void upload_check_root(const char *root)
{
	int file = open(root, O_TMPFILE | O_WRONLY | O_CLOEXEC, FILE_MODE);

	if (file >= 0) {
		(void)close(file);
		return;
	}
	log_warning("uploads_impossible", "upload_root=%s reason=%s remedy=%s", log_text(root),
		    log_text(strerror(errno)),
		    log_text(errno == EOPNOTSUPP
				     ? "its file system must know O_TMPFILE, as ext4, XFS, "
				       "Btrfs and tmpfs do and NFS does not"
				     : "make the folder, and let tftpd's user write there"));
}
