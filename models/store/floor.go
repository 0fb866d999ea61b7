package store

import (
	"context"
	"database/sql"
	"errors"

	"countinghouse/models"
)

// ByHand is what a page of the list takes from the database, read with database/sql alone: no transaction around it, no GORM, no rules, one
// plain statement for each thing. It is the floor that the benchmark holds the real page against, and nothing else uses it.
type ByHand struct {
	User    models.User
	Env     models.Environment
	Waiting int64
	Rows    []models.Transaction
	Count   int64
	In, Out []models.Money
	Names   []CredentialName
}

// FloorPage reads the newest page of transactions for the session behind a token.
func (s *Store) FloorPage(ctx context.Context, token string, limit int) (p ByHand, err error) {
	var role string
	err = s.read.QueryRowContext(ctx, s.rebind(`SELECT u.id, u.name, s.environment, r.role FROM sessions s JOIN users u ON u.id = s.user_id
		JOIN user_roles r ON r.user_id = u.id WHERE s.token_hash = ? AND s.ended_us = 0 AND s.stage = 'full'`), tokenHash(token)).Scan(&p.User.ID, &p.User.Name, &p.Env, &role)
	if err != nil {
		return p, err
	}
	p.User.Roles = []models.Role{models.Role(role)}
	err = s.read.QueryRowContext(ctx, s.rebind("SELECT COUNT(*) FROM approval_requests WHERE environment = ? AND state = 'open' AND created_by <> ?"), p.Env, p.User.ID).Scan(&p.Waiting)
	if err != nil {
		return p, err
	}
	err = s.rowsByHand(ctx, func(r *sql.Rows) error {
		t, err := scanTransaction(r)
		if err == nil {
			p.Rows = append(p.Rows, *t)
		}
		return err
	}, "SELECT "+transactionColumns+" FROM transactions t WHERE t.environment = ? ORDER BY t.created_us DESC, t.id DESC LIMIT ?", p.Env, limit)
	if err != nil {
		return p, err
	}
	var cs []combo
	err = s.rowsByHand(ctx, func(r *sql.Rows) error {
		var c combo
		err := r.Scan(&c.kind, &c.asset, &c.n, &c.minor)
		cs = append(cs, c)
		return err
	}, "SELECT kind, asset, CAST(SUM(n) AS BIGINT), CAST(SUM(minor) AS BIGINT) FROM transaction_totals WHERE environment = ? AND day = -1 GROUP BY kind, asset", p.Env)
	if err != nil {
		return p, err
	}
	var t Totals
	t.sum(cs)
	p.Count, p.In, p.Out = t.Count, t.In, t.Out
	err = s.rowsByHand(ctx, func(r *sql.Rows) error {
		var c CredentialName
		err := r.Scan(&c.ID, &c.Name, &c.Provider, &c.State)
		p.Names = append(p.Names, c)
		return err
	}, "SELECT id, name, provider, state FROM credentials WHERE environment = ? ORDER BY provider, name", p.Env)
	return p, err
}

func (s *Store) rowsByHand(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) (err error) {
	rows, err := s.read.QueryContext(ctx, s.rebind(query), args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
