package proc

import (
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strconv"
)

// LookupIdentity finds a user, and optionally another primary group than the
// user's own, by name or number. The supplementary groups are those that the
// system's group database gives the user; a number that no user has gets none,
// and then needs a group. It may block where users come over the network.
func LookupIdentity(userName, group string) (*Identity, error) {
	found, err := lookupUser(userName)
	if err != nil {
		return nil, err
	}
	id := &Identity{}
	if found == nil { // a bare number
		if group == "" {
			return nil, fmt.Errorf("user %s: there is no such user, so a group is needed as well", userName)
		}
		if id.UID, err = parseID(userName); err != nil {
			return nil, fmt.Errorf("user %s: %w", userName, err)
		}
	} else if err := id.fill(found); err != nil {
		return nil, fmt.Errorf("user %s: %w", userName, err)
	}
	if group != "" {
		if id.GID, err = lookupGroup(group); err != nil {
			return nil, err
		}
	}
	// The kernel looks at both the primary and the supplementary groups; tools
	// such as id expect the primary one among the latter.
	if !slices.Contains(id.Groups, id.GID) {
		id.Groups = append(id.Groups, id.GID)
	}
	slices.Sort(id.Groups)
	return id, nil
}

func (id *Identity) fill(u *user.User) (err error) {
	if id.UID, err = parseID(u.Uid); err != nil {
		return err
	}
	if id.GID, err = parseID(u.Gid); err != nil {
		return err
	}
	groups, err := u.GroupIds()
	if err != nil {
		return fmt.Errorf("its groups: %w", err)
	}
	for _, group := range groups {
		number, err := parseID(group)
		if err != nil {
			return err
		}
		id.Groups = append(id.Groups, number)
	}
	return nil
}

// lookupUser returns nil for a number that no user has.
func lookupUser(name string) (*user.User, error) {
	found, err := user.Lookup(name)
	if err == nil {
		return found, nil
	}
	if _, numeric := parseID(name); numeric != nil {
		if _, ok := errors.AsType[user.UnknownUserError](err); ok {
			return nil, fmt.Errorf("there is no user %q", name)
		}
		return nil, fmt.Errorf("user %s: %w", name, err)
	}
	found, err = user.LookupId(name)
	if _, ok := errors.AsType[user.UnknownUserIdError](err); ok {
		return nil, nil
	}
	return found, err
}

func lookupGroup(name string) (uint32, error) {
	found, err := user.LookupGroup(name)
	if err == nil {
		return parseID(found.Gid)
	}
	if number, numeric := parseID(name); numeric == nil {
		return number, nil
	}
	if _, ok := errors.AsType[user.UnknownGroupError](err); ok {
		return 0, fmt.Errorf("there is no group %q", name)
	}
	return 0, fmt.Errorf("group %s: %w", name, err)
}

// parseID refuses the highest number, by which setresuid means "leave it".
func parseID(text string) (uint32, error) {
	number, err := strconv.ParseUint(text, 10, 32)
	if err != nil || number == 1<<32-1 {
		return 0, fmt.Errorf("%q is not the number of a user or group", text)
	}
	return uint32(number), nil
}
