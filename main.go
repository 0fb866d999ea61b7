// Command countinghouse is a merchant's back office over several payment providers: one binary, one data folder.
//
// The bodies of its commands are in package web; here is only their grammar.
package main

import (
	"context"
	"log/slog"
	"os"
	_ "time/tzdata" // times are shown in any zone, also where the machine has no zone files

	"github.com/alecthomas/kong"

	"countinghouse/providers/all"
	"countinghouse/web"
)

type cli struct {
	Data          string   `help:"Folder of database, keys and files." default:"./data" env:"COUNTINGHOUSE_DATA"`
	Database      string   `help:"postgres:// address; a SQLite file in the data folder when left out." env:"COUNTINGHOUSE_DATABASE,DATABASE_URL"`
	Listen        string   `help:"Address and port of the pages." default:"127.0.0.1:8080" env:"COUNTINGHOUSE_LISTEN"`
	PublicURL     string   `name:"public-url" help:"How browsers and providers reach us, https://…; only loopback may go without." env:"COUNTINGHOUSE_PUBLIC_URL"`
	MetricsListen string   `help:"Loopback address and port of Prometheus figures; none when left out." env:"COUNTINGHOUSE_METRICS_LISTEN"`
	TrustedProxy  []string `help:"Network whose X-Forwarded-For is believed; may be given several times." env:"COUNTINGHOUSE_TRUSTED_PROXIES"`
	Merchant      string   `help:"The merchant's name, as receipts say it." env:"COUNTINGHOUSE_MERCHANT"`
	Zone          string   `help:"Time zone for those who have not chosen one." default:"UTC" env:"COUNTINGHOUSE_ZONE"`
	Egress        string   `name:"egress-address" help:"The address that providers see us call from; shown where they must list it." env:"COUNTINGHOUSE_EGRESS_ADDRESS"`
	KeepExchanges int      `name:"keep-exchanges" help:"Days that requests to providers and their webhooks stay readable. What is evidence stays." default:"400" env:"COUNTINGHOUSE_KEEP_EXCHANGES"`
	Kit           bool     `help:"Show admins every piece of the pages at /kit, for those who work on them." env:"COUNTINGHOUSE_KIT"`
	S3Endpoint    string   `name:"s3-endpoint" help:"host:port of an S3 store for documents; the folder files in the data folder when left out." env:"COUNTINGHOUSE_S3_ENDPOINT"`
	S3Bucket      string   `name:"s3-bucket" help:"Bucket of the S3 store. It must exist." env:"COUNTINGHOUSE_S3_BUCKET"`
	S3Region      string   `name:"s3-region" help:"Region of the bucket, if the store wants one." env:"COUNTINGHOUSE_S3_REGION"`
	S3Prefix      string   `name:"s3-prefix" help:"Stands before every key in the bucket, for example countinghouse/." env:"COUNTINGHOUSE_S3_PREFIX"`
	S3AccessKey   string   `name:"s3-access-key" help:"Access key of the S3 store." env:"COUNTINGHOUSE_S3_ACCESS_KEY" hidden:""`
	S3SecretKey   string   `name:"s3-secret-key" help:"Secret key of the S3 store." env:"COUNTINGHOUSE_S3_SECRET_KEY" hidden:""`
	S3Insecure    bool     `name:"s3-insecure" help:"Speak plain http with an S3 store on this machine." env:"COUNTINGHOUSE_S3_INSECURE"`
	Clamd         string   `help:"host:port or socket of clamd, which looks for viruses in uploads; without it files are marked unscanned." env:"COUNTINGHOUSE_CLAMD"`
	VaultKey      string   `help:"The vault's key document, instead of vault.key in the data folder." env:"COUNTINGHOUSE_VAULT_KEY" hidden:""`
	AuditKey      string   `help:"Base64 of the audit key's 32 bytes, instead of audit.key in the data folder." env:"COUNTINGHOUSE_AUDIT_KEY" hidden:""`

	Serve   web.ServeCmd   `cmd:"" default:"withargs" help:"Run the server (the default)."`
	Demo    web.DemoCmd    `cmd:"" help:"Run a demonstration with stand-ins for the providers; it leaves nothing behind."`
	Migrate web.MigrateCmd `cmd:"" help:"Bring the database up to date."`
	User    web.UserCmd    `cmd:"" help:"Manage people from the machine itself."`
	Vault   web.VaultCmd   `cmd:"" help:"Manage the key that seals secrets."`
	Backup  web.BackupCmd  `cmd:"" help:"Copy a SQLite database while the server runs, and check the copy."`
	Audit   web.AuditCmd   `cmd:"" help:"Verify or anchor the audit trail."`
	Doctor  web.DoctorCmd  `cmd:"" help:"Look at configuration, keys, disk, clock and database, and change nothing."`
	Bench   web.BenchCmd   `cmd:"" help:"Fill a database of its own and measure pages, intake, payouts, export and start-up beside their floors."`
}

func main() {
	var c cli
	parser := kong.Must(&c, kong.Name("countinghouse"), kong.Description("A merchant's back office over several payment providers."), kong.UsageOnError(),
		kong.Resolvers(web.FromFiles()), kong.Exit(os.Exit))
	k, err := parser.Parse(os.Args[1:])
	if err != nil {
		os.Exit(web.ExitCode(&web.ConfigError{Sentence: err.Error()}, os.Stderr))
	}
	cfg := web.Config{Data: c.Data, Database: c.Database, Listen: c.Listen, PublicURL: c.PublicURL, MetricsListen: c.MetricsListen,
		TrustedProxies: c.TrustedProxy, Merchant: c.Merchant, Zone: c.Zone, EgressAddress: c.Egress, KeepExchanges: c.KeepExchanges, Kit: c.Kit, VaultKey: c.VaultKey, AuditKey: c.AuditKey,
		Clamd: c.Clamd, S3: web.S3{Endpoint: c.S3Endpoint, Bucket: c.S3Bucket, Region: c.S3Region, Prefix: c.S3Prefix, AccessKey: c.S3AccessKey, SecretKey: c.S3SecretKey, Insecure: c.S3Insecure}}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	os.Exit(web.ExitCode(k.Run(&web.Env{Context: context.Background(), Config: cfg, Log: log, Out: os.Stdout, Providers: all.Registry(), Sandboxes: all.Sandboxes()}), os.Stderr))
}
