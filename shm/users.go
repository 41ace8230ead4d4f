package shm

// Anybody reports whether uid, as [PeerUser] returns it, may be anybody: in a
// user namespace that does not have all users, those that it lacks share one id,
// which one of its own users may have as well. It errs to true.
func Anybody(uid uint32) bool { return anybody(uid) }
