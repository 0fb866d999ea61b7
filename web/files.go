package web

import (
	"context"
	"net"
	"path/filepath"
	"strings"

	"countinghouse/models"
	"countinghouse/models/files"
	"countinghouse/models/store"
	"countinghouse/models/vault"
	"countinghouse/providers"
)

// FilesPath is the folder of documents, when they do not lie in S3.
func (c Config) FilesPath() string { return filepath.Join(c.Data, "files") }

// checkFiles refuses half a description of an S3 store, and one in the clear that is not on this machine.
func (c Config) checkFiles() error {
	if c.S3 == (S3{}) || c.S3 == (S3{Insecure: true}) {
		return nil
	}
	host := c.S3.Endpoint
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	switch {
	case c.S3.Endpoint == "" || c.S3.Bucket == "" || c.S3.AccessKey == "" || c.S3.SecretKey == "":
		return configErrorf("An S3 store needs --s3-endpoint, --s3-bucket, and its two keys in COUNTINGHOUSE_S3_ACCESS_KEY and COUNTINGHOUSE_S3_SECRET_KEY.")
	case strings.Contains(c.S3.Endpoint, "/"):
		return configErrorf("--s3-endpoint %q must be a host, with or without a port, and no scheme.", c.S3.Endpoint)
	case c.S3.Insecure && !loopback(host):
		return configErrorf("--s3-insecure is for a store on this machine; %s is not.", c.S3.Endpoint)
	}
	return nil
}

// openFiles opens the store of documents. Whatever it is, nothing lies in it in the clear.
func openFiles(ctx context.Context, cfg Config, clock models.Clock, v *vault.Vault) (files.Store, func() error, error) {
	if cfg.S3.Endpoint != "" {
		s3, err := files.OpenS3(ctx, files.S3Config{Endpoint: cfg.S3.Endpoint, Bucket: cfg.S3.Bucket, Prefix: cfg.S3.Prefix, Region: cfg.S3.Region, AccessKey: cfg.S3.AccessKey,
			SecretKey: cfg.S3.SecretKey, Insecure: cfg.S3.Insecure})
		if err != nil {
			return nil, nil, configErrorf("The store of documents cannot be used: %v.", err)
		}
		return files.Seal(s3, v), func() error { return nil }, nil
	}
	disk, err := files.OpenDisk(cfg.FilesPath(), clock())
	if err != nil {
		return nil, nil, configErrorf("The folder of documents %s cannot be used: %v.", cfg.FilesPath(), err)
	}
	return files.Seal(disk, v), disk.Close, nil
}

// kybRulesOf looks the lists of documents up in the descriptions of the providers.
func kybRulesOf(registry *providers.Registry) store.KYBRulesOf {
	return func(provider string, env models.Environment, settings map[string]string) (models.KYBRules, bool) {
		if registry == nil {
			return models.KYBRules{}, false
		}
		p, ok := registry.Get(provider)
		if !ok || p.Description.KYB == nil {
			return models.KYBRules{}, false
		}
		return p.Description.KYB(env, settings), true
	}
}
