package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"

	"gorm.io/gorm"
)

// conn stands between a transaction and everything that runs statements on it. It notes a serialisation failure even when the code above
// swallowed the error, so that Update tries again instead of committing nothing.
type conn struct {
	tx   *sql.Tx
	lost bool
}

func (c *conn) note(err error) error {
	if err != nil && serialization(err) {
		c.lost = true
	}
	return err
}

// PrepareContext serves GORM's interface.
func (c *conn) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	st, err := c.tx.PrepareContext(ctx, query)
	return st, c.note(err)
}

// ExecContext serves GORM's interface.
func (c *conn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	r, err := c.tx.ExecContext(ctx, query, args...)
	return r, c.note(err)
}

// QueryContext serves GORM's interface.
func (c *conn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	r, err := c.tx.QueryContext(ctx, query, args...)
	return r, c.note(err)
}

// QueryRowContext serves GORM's interface.
func (c *conn) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	r := c.tx.QueryRowContext(ctx, query, args...)
	_ = c.note(r.Err())
	return r
}

// Exec runs a statement written with ? placeholders.
func (tx *Tx) Exec(query string, args ...any) error {
	_, err := tx.Change(query, args...)
	return err
}

// Change runs a statement written with ? placeholders and tells how many rows it touched.
func (tx *Tx) Change(query string, args ...any) (int64, error) {
	r, err := tx.conn.ExecContext(tx.ctx, tx.Store.rebind(query), args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// Query runs a query written with ? placeholders; the caller closes the rows and asks them for their error.
func (tx *Tx) Query(query string, args ...any) (*sql.Rows, error) {
	return tx.conn.QueryContext(tx.ctx, tx.Store.rebind(query), args...)
}

// QueryRow runs a query of one row, written with ? placeholders.
func (tx *Tx) QueryRow(query string, args ...any) *sql.Row {
	return tx.conn.QueryRowContext(tx.ctx, tx.Store.rebind(query), args...)
}

// Each runs a query and hands every row to scan.
func (tx *Tx) Each(scan func(*sql.Rows) error, query string, args ...any) (err error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return tx.conn.note(rows.Err())
}

// texts reads one column of text, such as ids.
func (tx *Tx) texts(query string, args ...any) (out []string, err error) {
	err = tx.Each(func(r *sql.Rows) error {
		var x string
		err := r.Scan(&x)
		out = append(out, x)
		return err
	}, query, args...)
	return out, err
}

// ForUpdate is the suffix that locks the rows a query reads. SQLite needs none: a write transaction already holds the only lock.
func (tx *Tx) ForUpdate() string {
	if tx.Store.Engine == Postgres {
		return " FOR UPDATE"
	}
	return ""
}

// fewArgs is how many values one statement should carry. The SQLite driver looks for each placeholder among all values, so that binding costs
// the square of their number; PostgreSQL pays for round trips instead.
func (s *Store) fewArgs() int {
	if s.Engine == Postgres {
		return 4000
	}
	return 500
}

// IsNoRow reports that a query found nothing, whether GORM or database/sql says so.
func IsNoRow(err error) bool {
	return errors.Is(err, sql.ErrNoRows) || errors.Is(err, gorm.ErrRecordNotFound)
}

// rebind turns ? placeholders into PostgreSQL's $1, $2, …; text in quotes and comments stays as it is.
func (s *Store) rebind(query string) string {
	if s.Engine != Postgres || !strings.ContainsRune(query, '?') {
		return query
	}
	var b strings.Builder
	b.Grow(len(query) + 16)
	n, quote := 0, byte(0)
	for i := 0; i < len(query); i++ {
		c := query[i]
		switch {
		case quote == '-':
			if c == '\n' {
				quote = 0
			}
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '-' && i+1 < len(query) && query[i+1] == '-':
			quote = '-'
		case c == '?':
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// limited is a limit as SQL text, for what every page asks: SQLite plans a query a second time when it learns the value of a bound limit.
func limited(n int) string { return strconv.Itoa(n) }

// numbers are numbers as SQL text: a driver takes longer to bind hundreds of values than the database to read them.
func numbers(list []int64) string {
	var b []byte
	for i, n := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	return string(b)
}

// words are constants of the program as SQL text, for the same reason.
func words[T ~string](list []T) string {
	quoted := make([]string, 0, len(list))
	for _, w := range list {
		quoted = append(quoted, "'"+strings.ReplaceAll(string(w), "'", "''")+"'")
	}
	if len(quoted) == 0 {
		return "NULL" // in no list at all
	}
	return strings.Join(quoted, ",")
}
