package sim

import "time"

// RedisAway cuts every connection to Redis and refuses new ones for a while.
func (w *World) RedisAway(d time.Duration) {
	w.redisAway(true)
	w.later(d, func() { w.redisAway(false) })
}

// RedisSays has Redis answer every command with an error for a while.
func (w *World) RedisSays(what string, d time.Duration) {
	w.Redis.SetError(what)
	w.later(d, func() { w.Redis.SetError("") })
}

// RedisHangs has Redis take commands without answering, for a while.
func (w *World) RedisHangs(d time.Duration) {
	w.later(d, w.HangRedis())
}

func (w *World) redisAway(away bool) {
	w.mu.Lock()
	w.noRedis = away
	w.mu.Unlock()
	if away {
		w.Net.CutHost("redis.test:6379")
	}
}

// later does something after a while, unless the world ends before.
func (w *World) later(d time.Duration, do func()) {
	w.running.Go(func() {
		if w.wait(d) {
			do()
		}
	})
}

// wait waits in the world's time, and tells whether the world is still there.
func (w *World) wait(d time.Duration) bool {
	if d <= 0 {
		return w.ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-w.ctx.Done():
		return false
	}
}
