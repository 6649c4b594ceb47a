// Package messages lists what psycher says to people, for tests and the pages.
package messages

import "github.com/getto-systems/psycher/deploy"

// IDs are all messages, in the order of deploy/message.go: a language must have
// wordings for each.
func IDs() []deploy.MessageID {
	return []deploy.MessageID{
		deploy.MsgGreet, deploy.MsgThanks, deploy.MsgHelp, deploy.MsgUnknown, deploy.MsgNoTarget, deploy.MsgWhichTarget, deploy.MsgUnclear, deploy.MsgPlainly, deploy.MsgOther,
		deploy.MsgStop, deploy.MsgStopGuest, deploy.MsgStopWhich, deploy.MsgStatus, deploy.MsgHistory, deploy.MsgApprovals, deploy.MsgPending, deploy.MsgPendingOnly, deploy.MsgAgain, deploy.MsgBusy, deploy.MsgLocked, deploy.MsgLockedSince, deploy.MsgIsLocked, deploy.MsgCannotLock, deploy.MsgNotLocked, deploy.MsgUnlock, deploy.MsgUnlocking, deploy.MsgTurn, deploy.MsgBusyWaiting, deploy.MsgTakenBack, deploy.MsgConfirm, deploy.MsgConfirmUnseen, deploy.MsgMustConfirm, deploy.MsgRollback, deploy.MsgNothingBefore, deploy.MsgCannotSteer, deploy.MsgNameOne, deploy.MsgNotYet, deploy.MsgTooLong, deploy.MsgGuest, deploy.MsgNotAllowed, deploy.MsgGroupUnread, deploy.MsgFrozen, deploy.MsgFreeze, deploy.MsgTooLate, deploy.MsgForgotten, deploy.MsgEditedIn, deploy.MsgEditedLater, deploy.MsgEditedOut,
		deploy.MsgBroken, deploy.MsgNotRecorded, deploy.MsgNotStopped, deploy.MsgDontKnow, deploy.MsgStopping,
		deploy.MsgStatusStarting, deploy.MsgDeclined, deploy.MsgLapsed, deploy.MsgAskStopped, deploy.MsgWithdrawn,
		deploy.MsgPressedBefore, deploy.MsgPressClosed, deploy.MsgPressGuest, deploy.MsgPressNotYours, deploy.MsgNotApprover, deploy.MsgApproveOwn, deploy.MsgApprovedBefore, deploy.MsgPressUnread, deploy.MsgPressFrozen, deploy.MsgPressOver, deploy.MsgPressOld, deploy.MsgPressLost,
		deploy.MsgWaitRate, deploy.MsgWaitUnreachable,
		deploy.MsgRefusedToken, deploy.MsgRefusedRef, deploy.MsgRefusedAmbiguous, deploy.MsgRefusedUnauthorized, deploy.MsgRefusedProtected, deploy.MsgRefusedOwner, deploy.MsgRefusedNoJob, deploy.MsgRefusedRules, deploy.MsgRefusedCommit,
		deploy.MsgRefusedVariables, deploy.MsgRefusedIdentity, deploy.MsgRefusedConfig, deploy.MsgRefusedDisabled, deploy.MsgRefusedMoved,
		deploy.MsgRefusedRedirect, deploy.MsgRefusedElsewhere, deploy.MsgRefusedProxy, deploy.MsgRefusedOther, deploy.MsgRefusedRetry, deploy.MsgRefusedRight, deploy.MsgRefusedUnreachable, deploy.MsgRefusedRate, deploy.MsgRefusedGone,
		deploy.MsgStatusRunning, deploy.MsgStatusUnsure, deploy.MsgStatusSilent, deploy.MsgStatusSucceeded, deploy.MsgStatusFailed, deploy.MsgStatusCanceled,
		deploy.MsgStatusPerson, deploy.MsgStatusRunner, deploy.MsgStatusCanceling, deploy.MsgStatusNothing, deploy.MsgStatusRefused, deploy.MsgStatusAnswered, deploy.MsgStatusLocked, deploy.MsgStatusUnlocked, deploy.MsgStatusTold, deploy.MsgStatusQueued, deploy.MsgStatusRiding,
		deploy.MsgSucceeded, deploy.MsgRolledBack, deploy.MsgFailed, deploy.MsgCanceled, deploy.MsgSilent, deploy.MsgNoneSeen, deploy.MsgRode, deploy.MsgRodeFailed, deploy.MsgUnlocked, deploy.MsgLockOver, deploy.MsgLockEnds, deploy.MsgLockPassed, deploy.MsgSetAside, deploy.MsgRecovered, deploy.MsgFailedAfter, deploy.MsgBrokenUnsure,
		deploy.MsgUnseen, deploy.MsgNothing, deploy.MsgPerson, deploy.MsgStopped, deploy.MsgOtherCommit, deploy.MsgOtherCommitOn, deploy.MsgOtherCommitOut, deploy.MsgCancelRefused, deploy.MsgCancelNoEffect, deploy.MsgOvertime,
	}
}
