package store

import (
	"context"
	"strings"

	"countinghouse/models"
)

// searchPeople is how many people a search shows.
const searchPeople = 8

// FindPeople looks for people by a part of their name or address. It needs people.read.
func (s *Store) FindPeople(ctx context.Context, a models.Actor, text string) (out []models.User, err error) {
	if err := a.Require(models.PeopleRead); err != nil {
		return nil, err
	}
	like := "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(text)) + "%"
	err = s.View(ctx, func(q *Tx) error {
		var rows []userRow
		if err := q.DB.Where(`lower(name) LIKE ? ESCAPE '\' OR email LIKE ? ESCAPE '\'`, like, like).Order("lower(name), id").Limit(searchPeople).Find(&rows).Error; err != nil {
			return err
		}
		out = nil
		for _, r := range rows {
			roles, err := q.roles(r.ID)
			if err != nil {
				return err
			}
			out = append(out, r.toUser(roles))
		}
		return nil
	})
	return out, err
}
