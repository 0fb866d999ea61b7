package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3Config names a bucket. The bucket must exist, and should refuse public access and keep versions.
type S3Config struct {
	// Endpoint is host or host:port, without scheme.
	Endpoint string
	Bucket   string
	// Prefix stands before every key, "countinghouse/". Optional.
	Prefix               string
	Region               string
	AccessKey, SecretKey string
	// Insecure speaks plain http, for a MinIO on the same machine.
	Insecure bool
	// Transport is for tests. Optional.
	Transport http.RoundTripper
}

// S3 is a Store in a bucket.
type S3 struct {
	client         *minio.Client
	bucket, prefix string
}

// OpenS3 prepares the store and asks whether the bucket is there.
func OpenS3(ctx context.Context, cfg S3Config) (*S3, error) {
	if cfg.Endpoint == "" || cfg.Bucket == "" {
		return nil, errors.New("files: an endpoint and a bucket are needed")
	}
	client, err := minio.New(cfg.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, ""), Secure: !cfg.Insecure, Region: cfg.Region,
		Transport: cfg.Transport, MaxRetries: 3,
	})
	if err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	ok, err := client.BucketExists(ctx, cfg.Bucket)
	if err != nil {
		return nil, fmt.Errorf("files: ask for the bucket %s: %w", cfg.Bucket, err)
	}
	if !ok {
		return nil, fmt.Errorf("files: there is no bucket %s at %s", cfg.Bucket, cfg.Endpoint)
	}
	return &S3{client: client, bucket: cfg.Bucket, prefix: cfg.Prefix}, nil
}

// Put sends the file in one request, which S3 makes visible whole or not at all, on the condition that the key is free.
func (s *S3) Put(ctx context.Context, key string, r io.Reader, size int64) (Stored, error) {
	if err := checkKey(key); err != nil {
		return Stored{}, err
	}
	opts := minio.PutObjectOptions{}
	opts.SetMatchETagExcept("*") // If-None-Match: *
	return s.put(ctx, key, r, size, opts)
}

func (s *S3) replace(ctx context.Context, key string, r io.Reader) error {
	if err := checkKey(key); err != nil {
		return err
	}
	_, err := s.put(ctx, key, r, -1, minio.PutObjectOptions{})
	return err
}

// put spools first: S3 wants the length before the bytes, and a wrong length must leave nothing behind.
func (s *S3) put(ctx context.Context, key string, r io.Reader, size int64, opts minio.PutObjectOptions) (Stored, error) {
	spool, err := os.CreateTemp("", "countinghouse-*")
	if err != nil {
		return Stored{}, fmt.Errorf("files: %w", err)
	}
	defer func() { _ = spool.Close(); _ = os.Remove(spool.Name()) }()
	m := newMeter(ctx, limit(r, size))
	if _, err := io.Copy(spool, m); err != nil {
		return Stored{}, fmt.Errorf("files: write: %w", err)
	}
	out, err := m.stored(key, size)
	if err != nil {
		return Stored{}, err
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return Stored{}, fmt.Errorf("files: %w", err)
	}
	opts.DisableMultipart, opts.ContentType = true, "application/octet-stream"
	if _, err := s.client.PutObject(ctx, s.bucket, s.prefix+key, spool, out.Size, opts); err != nil {
		return Stored{}, s.explain(key, err)
	}
	return out, nil
}

// Open reads an object. Its absence shows here, not at the first read.
func (s *S3) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	object, err := s.client.GetObject(ctx, s.bucket, s.prefix+key, minio.GetObjectOptions{})
	if err != nil {
		return nil, s.explain(key, err)
	}
	if _, err := object.Stat(); err != nil {
		return nil, errors.Join(s.explain(key, err), object.Close())
	}
	return object, nil
}

// Stat asks for an object's head.
func (s *S3) Stat(ctx context.Context, key string) (Info, error) {
	if err := checkKey(key); err != nil {
		return Info{}, err
	}
	info, err := s.client.StatObject(ctx, s.bucket, s.prefix+key, minio.StatObjectOptions{})
	if err != nil {
		return Info{}, s.explain(key, err)
	}
	return Info{Key: key, Size: info.Size, Modified: info.LastModified.UTC()}, nil
}

// Delete removes an object (its latest version, where the bucket keeps versions).
func (s *S3) Delete(ctx context.Context, key string) error {
	if _, err := s.Stat(ctx, key); err != nil { // S3 says yes to deleting nothing
		return err
	}
	if err := s.client.RemoveObject(ctx, s.bucket, s.prefix+key, minio.RemoveObjectOptions{}); err != nil {
		return s.explain(key, err)
	}
	return nil
}

// All lists the objects below the prefix.
func (s *S3) All(ctx context.Context) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		for o := range s.client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.prefix, Recursive: true}) {
			if o.Err != nil {
				yield(Info{}, fmt.Errorf("files: list: %w", o.Err))
				return
			}
			key := strings.TrimPrefix(o.Key, s.prefix)
			if checkKey(key) == nil && !yield(Info{Key: key, Size: o.Size, Modified: o.LastModified.UTC()}, nil) {
				return
			}
		}
	}
}

// explain maps S3's codes to ours.
func (s *S3) explain(key string, err error) error {
	switch r := minio.ToErrorResponse(err); {
	case r.Code == "NoSuchKey" || r.StatusCode == http.StatusNotFound && r.Code != "NoSuchBucket":
		return fmt.Errorf("files: %s: %w", key, ErrNotFound)
	case r.StatusCode == http.StatusPreconditionFailed || r.StatusCode == http.StatusConflict:
		return fmt.Errorf("files: %s: %w", key, ErrExists)
	}
	return fmt.Errorf("files: %s: %w", key, err)
}
