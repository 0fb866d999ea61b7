package web

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"

	"countinghouse/models/files"
)

// filesPatience bounds what the doctor waits for a store of documents and for a scanner.
const filesPatience = 10 * time.Second

// lookAtFiles says whether documents can be kept: a folder that can be written, or a bucket that answers. Nothing is written.
func lookAtFiles(ctx context.Context, cfg Config, add adder) {
	if err := cfg.checkFiles(); err != nil {
		add("documents", false, "%v", err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, filesPatience)
	defer cancel()
	if cfg.S3.Endpoint != "" {
		s3, err := files.OpenS3(ctx, files.S3Config{Endpoint: cfg.S3.Endpoint, Bucket: cfg.S3.Bucket, Prefix: cfg.S3.Prefix, Region: cfg.S3.Region, AccessKey: cfg.S3.AccessKey,
			SecretKey: cfg.S3.SecretKey, Insecure: cfg.S3.Insecure})
		if err == nil {
			for _, one := range s3.All(ctx) { // the keys may see the bucket and still not read it
				err = one
				break
			}
		}
		if err != nil {
			add("documents", false, "the bucket %s at %s cannot be used: %v. Look at its name, at its address, and at what its keys may do; until then nothing can be uploaded or handed over", cfg.S3.Bucket, cfg.S3.Endpoint, err)
			return
		}
		add("documents", true, "the bucket %s at %s answers and can be read", cfg.S3.Bucket, cfg.S3.Endpoint)
		return
	}
	path := cfg.FilesPath()
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		add("documents", true, "%s is not there yet; serve makes it", path)
	case err != nil || !st.IsDir():
		add("documents", false, "%s is not a folder that can be read (%v): nothing can be uploaded until it is", path, err)
	case st.Mode().Perm()&0o077 != 0:
		add("documents", false, "others can look into %s (mode %04o): chmod 700 %s. What lies in it is sealed", path, st.Mode().Perm(), path)
	case syscall.Access(path, 2|1) != nil: // to write, and to enter
		add("documents", false, "nothing can be written into %s by this user: uploads will be refused", path)
	default:
		add("documents", true, "%s can be written, mode %04o; it is to be copied with every backup", path, st.Mode().Perm())
	}
}

// lookAtScanner asks the virus scanner about a harmless file.
func lookAtScanner(ctx context.Context, cfg Config, add adder) {
	if cfg.Clamd == "" {
		add("virus scanner", true, "none is set up: uploads are marked unscanned")
		return
	}
	v := files.Scanner{Addr: cfg.Clamd, Timeout: filesPatience}.Scan(ctx, bytes.NewReader([]byte("a harmless line")))
	if v.State != files.Clean {
		add("virus scanner", false, "the one at %s is no help (%s%s): uploads are marked unscanned until it answers", cfg.Clamd, v.Reason, v.Signature)
		return
	}
	add("virus scanner", true, "the one at %s answers", cfg.Clamd)
}
