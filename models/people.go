package models

import "slices"

// Environment keeps sandbox and live apart: they never share a list, a total or an export.
type Environment string

// The two environments.
const (
	Sandbox Environment = "sandbox"
	Live    Environment = "live"
)

// Valid reports whether e is one of the two.
func (e Environment) Valid() bool { return e == Sandbox || e == Live }

// Role is a named set of permissions. A person can hold several.
type Role string

// The roles.
const (
	Finance    Role = "finance"
	Compliance Role = "compliance"
	Admin      Role = "admin"
	Auditor    Role = "auditor"
)

// Permission allows one kind of act. Every store method that reads something guarded or changes anything checks one.
type Permission string

// The permissions, by noun and verb.
const (
	TransactionsRead     Permission = "transactions.read"
	NotesWrite           Permission = "notes.write"    // remarks on transactions
	ExchangesRead        Permission = "exchanges.read" // the redacted requests and answers
	PayoutsCreate        Permission = "payouts.create"
	PayoutsApprove       Permission = "payouts.approve"
	PayoutsOperate       Permission = "payouts.operate" // cancel, hold, release, ask now, resend request
	DepositsCreate       Permission = "deposits.create"
	RefundsCreate        Permission = "refunds.create"
	ConversionsCreate    Permission = "conversions.create"
	OrdersCreate         Permission = "orders.create"
	CodesReveal          Permission = "codes.reveal"
	BalancesRead         Permission = "balances.read"
	WebhooksRead         Permission = "webhooks.read"
	WebhooksReplay       Permission = "webhooks.replay"
	ReconciliationManage Permission = "reconciliation.manage"
	ExportsCreate        Permission = "exports.create"
	DestinationsRead     Permission = "destinations.read"
	DestinationsCreate   Permission = "destinations.create"
	DestinationsApprove  Permission = "destinations.approve"
	SubAccountsManage    Permission = "subaccounts.manage"
	KYBRead              Permission = "kyb.read"
	KYBManage            Permission = "kyb.manage"
	KYBApprove           Permission = "kyb.approve"
	CredentialsRead      Permission = "credentials.read"
	CredentialsManage    Permission = "credentials.manage"
	ChangesApprove       Permission = "changes.approve" // second admin for credentials, rules, roles, policies
	AllowlistManage      Permission = "allowlist.manage"
	PoliciesManage       Permission = "policies.manage"
	PeopleRead           Permission = "people.read"
	PeopleManage         Permission = "people.manage"
	AuditRead            Permission = "audit.read"
	SettingsManage       Permission = "settings.manage"
)

// rolePermissions is the one table of who may do what. No role both moves money and manages keys.
var rolePermissions = map[Role][]Permission{
	Finance: {TransactionsRead, NotesWrite, ExchangesRead, PayoutsCreate, PayoutsApprove, PayoutsOperate, DepositsCreate, RefundsCreate,
		ConversionsCreate, OrdersCreate, CodesReveal, BalancesRead, WebhooksRead, WebhooksReplay, ReconciliationManage, ExportsCreate,
		DestinationsRead, DestinationsCreate, CredentialsRead},
	Compliance: {TransactionsRead, NotesWrite, BalancesRead, DestinationsRead, DestinationsCreate, DestinationsApprove, SubAccountsManage, KYBRead,
		KYBManage, KYBApprove, AuditRead, ExportsCreate, PeopleRead, CredentialsRead},
	Admin: {TransactionsRead, NotesWrite, ExchangesRead, BalancesRead, WebhooksRead, WebhooksReplay, DestinationsRead, CredentialsRead,
		CredentialsManage, ChangesApprove, AllowlistManage, PoliciesManage, PeopleRead, PeopleManage, AuditRead, SettingsManage, ExportsCreate},
	Auditor: {TransactionsRead, ExchangesRead, BalancesRead, WebhooksRead, DestinationsRead, KYBRead, CredentialsRead, PeopleRead,
		AuditRead, ExportsCreate},
}

// Roles lists the roles in the order that pages show them.
func Roles() []Role { return []Role{Finance, Compliance, Admin, Auditor} }

// Permissions gives the permissions of a role.
func (r Role) Permissions() []Permission { return slices.Clone(rolePermissions[r]) }

// RolesWith lists the roles that carry a permission, so that a refusal can say who may grant it.
func RolesWith(p Permission) []Role {
	var rs []Role
	for _, r := range Roles() {
		if slices.Contains(rolePermissions[r], p) {
			rs = append(rs, r)
		}
	}
	return rs
}

// Actor is who does something: a signed-in person, a task of our own, or the set-up. Store methods take one and check it.
type Actor struct {
	UserID string // empty for a task
	Name   string
	Roles  []Role
	Task   string       // the kind of task, when no person acts
	IP     string       // where from
	StepUp Micros       // when the second factor was last shown in this session; zero if never
	Sess   string       // id of the session (not its token)
	Extra  []Permission // permissions beyond roles; used by API keys later, never by people
}

// Operator is whoever has a shell on the machine: they hold the database and its keys anyway, so the command line may manage people. It may
// not move money.
func Operator() Actor {
	return Actor{Task: "cli", Name: "the command line", Extra: []Permission{PeopleRead, PeopleManage, AllowlistManage, AuditRead}}
}

// System is the actor of our own tasks.
func System(task string) Actor { return Actor{Task: task, Name: task} }

// Can reports whether the actor holds the permission. Tasks hold none: what a task may do is in the store method that serves it.
func (a Actor) Can(p Permission) bool {
	for _, r := range a.Roles {
		if slices.Contains(rolePermissions[r], p) {
			return true
		}
	}
	return slices.Contains(a.Extra, p)
}

// Permissions gives every permission that the actor holds, each once.
func (a Actor) Permissions() []Permission {
	out := slices.Clone(a.Extra)
	for _, r := range a.Roles {
		out = append(out, rolePermissions[r]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Require gives a Forbidden error that names the permission and who carries it, or nil.
func (a Actor) Require(p Permission) error {
	if a.Can(p) {
		return nil
	}
	e := Errorf(Forbidden, "This needs the permission %q. People with the role %s have it; an admin can grant the role.", p, joinRoles(RolesWith(p)))
	e.Need = p
	return e
}

func joinRoles(rs []Role) string {
	s := ""
	for i, r := range rs {
		if i > 0 {
			s += " or "
		}
		s += string(r)
	}
	return s
}
