#!/usr/bin/env python3
"""Shows that each invariant of the simulator can fail, at each place that looks at it: breaks
the engine in one place, and expects the simulator to notice, by that invariant's name and text.

    mutations.py --build DIR [--only NAME] [--seconds S]

A mutation is text of one source file for another. That file alone is compiled again, and linked
before the library, whose own copy the linker then leaves aside.
"""

import argparse
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# name of the invariant and its text (a regular expression), what is broken, file, text, text
# instead; of a rare one also a seed that is soon before one that shows it
MUTATIONS = [
    ("slots", "though u[0-9]+.slice has no slot", "slices let one more in", "engine/manager_slots.cpp",
     "if (others_in(s, id) >= config->*limit) return s;", "if (others_in(s, id) > config->*limit) return s;"),
    ("slots", "though manager has no slot", "one more may come up", "engine/manager_slots.cpp",
     "coming_up_ >= config_.defaults.start_concurrency_max", "coming_up_ > config_.defaults.start_concurrency_max"),
    ("job-waits", "and there is one", "slots that are free are nobody's", "engine/manager_jobs.cpp",
     "  if (queue_.release(*this)) return true;\n", ""),
    ("start-job", "starts without", "a restart needs no job", "engine/service_timeout.cpp",
     "act(EnqueueRestart{});", "enter_condition();"),
    ("start-order", "starts though", "starts wait for nothing", "engine/job_queue.cpp",
     "blocker.value != 0) return blocker;", "blocker.value != 0 && job.type != JobType::Start) return blocker;"),
    ("stop-order", "stops before", "stops wait for nothing", "engine/job_queue.cpp",
     "blocker.value != 0) return blocker;", "blocker.value != 0 && job.type != JobType::Stop) return blocker;"),
    ("start-limit", "times within", "starts are not counted", "engine/manager_jobs.cpp",
     "if (!count_start(limit, now_.mono, rt.limit_begin, rt.limit_count)) {", "if (limit.burst == 77) {"),
    ("restart-delay", "before RestartSec=", "half of RestartSec= is enough", "engine/service_restart.cpp",
     "state_.deadline = after(restart_delay());", "state_.deadline = after(restart_delay() / 2);"),
    ("restart", "asks for a restart", "Restart= never restarts", "engine/service_restart.cpp",
     "bool ServiceMachine::shall_restart() const {", "bool ServiceMachine::shall_restart() const {\n  return false;"),
    ("restart", "has not restarted", "RestartSec= takes an hour longer", "engine/service_restart.cpp",
     "state_.deadline = after(restart_delay());", "state_.deadline = after(restart_delay()) + std::chrono::hours(1);"),
    ("restart", "was to restart", "a restart that is due is given up", "engine/service_timeout.cpp",
     "      if (context_.stopping) {", "      if (true) {"),
    ("restart", "does not ask", "a restart whatever Restart= says", "engine/service_restart.cpp",
     "    case ServiceRestart::No:\n      return false;", "    case ServiceRestart::No:\n      return true;"),
    ("restart", "though it was stopped", "a stop on purpose forbids no restart", "engine/service_restart.cpp",
     "  if (state_.forbid_restart != 0) return false;", ""),
    ("triggers", "OnFailure=", "OnFailure= never triggers", "engine/manager_units.cpp",
     "    trigger_for_end(id, DependencyKind::OnFailure, config.on_failure_job_mode);", "    ;"),
    ("triggers", "OnSuccess=", "OnSuccess= never triggers", "engine/manager_units.cpp",
     "    if (!restarts) trigger_for_end(id, DependencyKind::OnSuccess, config.on_success_job_mode);", "    ;"),
    ("job-timeout", "JobTimeoutSec=", "JobTimeoutSec= does nothing", "engine/manager_jobs.cpp",
     "MonoTime when = job.queued.mono + unit.config.job_timeout;", "MonoTime when = kNever;"),
    ("job-timeout", "JobTimeoutSec=", "JobRunningTimeoutSec= does nothing", "engine/manager_jobs.cpp",
     "if (!job.began.is_set()) return when;", "if (job.id.value != UINT32_MAX) return when;"),
    ("job-timeout", "before its JobTimeoutSec=", "half of JobTimeoutSec= is enough", "engine/manager_jobs.cpp",
     "job.queued.mono + unit.config.job_timeout;",
     "job.queued.mono + (unit.config.job_timeout == kInfinity ? kInfinity : unit.config.job_timeout / 2);"),
    ("timeout", "in condition|in start-pre", "TimeoutStartSec= is twice as long", "engine/service_machine.cpp",
     "  if (config_.timeout_start) return *config_.timeout_start;",
     "  if (config_.timeout_start) return *config_.timeout_start == kInfinity ? kInfinity : 2 * *config_.timeout_start;"),
    ("timeout", "in stop-sigterm", "TimeoutStopSec= is half as long", "engine/service_machine.cpp",
     "  if (context_.stop_budget == kInfinity) return after(limit);",
     "  if (context_.stop_budget == kInfinity) return after(limit == kInfinity ? limit : limit / 2);"),
    ("timeout", "in stop-watchdog", "TimeoutAbortSec= does nothing", "engine/service_machine.cpp",
     "  if (config_.timeout_abort) return *config_.timeout_abort;", ""),
    ("triggers", "in a shutdown", "a shutdown holds no trigger back", "engine/manager_dependencies.cpp",
     "JobMode mode) {\n  if (stopping()) return;\n  Trigger", "JobMode mode) {\n  Trigger"),
    ("triggers", "does not ask", "what fails triggers OnSuccess= too", "engine/manager_units.cpp",
     "    trigger_for_end(id, DependencyKind::OnFailure, config.on_failure_job_mode);",
     "    trigger_for_end(id, DependencyKind::OnFailure, config.on_failure_job_mode);\n      trigger_for_end(id, DependencyKind::OnSuccess, config.on_success_job_mode);"),
    ("triggers", "does not ask", "what ends well triggers OnFailure= too", "engine/manager_units.cpp",
     "    if (!restarts) trigger_for_end(id, DependencyKind::OnSuccess, config.on_success_job_mode);",
     "    if (!restarts) trigger_for_end(id, DependencyKind::OnSuccess, config.on_success_job_mode);\n    if (!restarts) trigger_for_end(id, DependencyKind::OnFailure, config.on_failure_job_mode);"),
    ("refused", "which its file refuses", "RefuseManualStop= does nothing", "graph/transaction.cpp",
     ": stops && unit.config.refuse_manual_stop ? ", ": stops && unit.id.empty() ? "),
    ("refused", "which its file refuses", "RefuseManualStart= does nothing", "graph/transaction.cpp",
     "starts && unit.config.refuse_manual_start ? ", "starts && unit.id.empty() ? "),
    ("refused", "with the mode fail", "the mode fail replaces what is queued", "graph/transaction.cpp",
     "if (mode != JobMode::Fail && !queued->irreversible) continue;", "if (!queued->irreversible) continue;"),
    ("reset-failed", "counted still", "reset-failed counts on", "engine/manager.cpp",
     "  rt.limit_count = 0;\n  rt.start_limit_hit = false;\n  problems_", "  rt.start_limit_hit = false;\n  problems_"),
    ("reset-failed", "failed as before", "reset-failed leaves a service failed", "engine/manager.cpp",
     "    feed(id, ResetFailed{});", "    ;"),
    ("notify", "who may not speak", "NotifyAccess= is not looked at", "engine/manager_events.cpp",
     "  if (!may_notify(unit.service->notify_access, s, sender.pid)) {", "  if (unit.id.empty()) {"),
    ("notify", "has not heard READY=1", "READY=1 is not heard", "engine/service_notify.cpp",
     "  } else if (message.ready) {", "  } else if (message.ready && message.reloading) {"),
    ("notify", "has not heard STOPPING=1", "STOPPING=1 is not heard", "engine/service_notify.cpp",
     "  if (message.stopping) {", "  if (message.stopping && message.ready) {"),
    ("notify", "has not heard WATCHDOG=1", "WATCHDOG=1 is not heard", "engine/service_notify.cpp",
     "  if (message.watchdog) pet_watchdog();", "  ;"),
    ("notify", "has not heard EXTEND_TIMEOUT_USEC", "EXTEND_TIMEOUT_USEC= is not heard", "engine/service_notify.cpp",
     "  if (message.extend_timeout) extend_timeout(*message.extend_timeout);", "  ;"),
    ("watchdog", "WatchdogSec=", "WatchdogSec= is twice as long", "engine/service_machine.cpp",
     "state_.watchdog_override : config_.watchdog;", "state_.watchdog_override : 2 * config_.watchdog;"),
    ("commands", "ExecStart=", "a oneshot runs its first command alone", "engine/service_exit.cpp",
     "next < commands(ExecRole::Start).size()) {", "next < 1) {"),
    ("commands", "ExecCondition=", "of a list of ExecCondition= the first runs alone", "engine/service_exit.cpp",
     "      next < commands(role).size()) {", "      next < commands(role).size() && role != ExecRole::Condition) {"),
    ("commands", "ExecStartPre=", "of a list of ExecStartPre= the first runs alone", "engine/service_exit.cpp",
     "      next < commands(role).size()) {", "      next < commands(role).size() && role != ExecRole::StartPre) {"),
    ("commands", "ExecStartPost=", "of a list of ExecStartPost= the first runs alone", "engine/service_exit.cpp",
     "      next < commands(role).size()) {", "      next < commands(role).size() && role != ExecRole::StartPost) {"),
    ("commands", "ExecReload=", "of a list of ExecReload= the first runs alone", "engine/service_exit.cpp",
     "      next < commands(role).size()) {", "      next < commands(role).size() && role != ExecRole::Reload) {"),
    ("commands", "ExecStop=", "of a list of ExecStop= the first runs alone", "engine/service_exit.cpp",
     "      next < commands(role).size()) {", "      next < commands(role).size() && role != ExecRole::Stop) {"),
    ("commands", "ExecStopPost=", "of a list of ExecStopPost= the first runs alone", "engine/service_exit.cpp",
     "      next < commands(role).size()) {", "      next < commands(role).size() && role != ExecRole::StopPost) {"),
    ("action", "nothing comes of", "FailureAction= does nothing", "engine/manager_units.cpp",
     "    emergency(config.failure_action, id, config.failure_action_exit_status, \"unit failed\");", "    ;"),
    ("action", "nothing comes of", "SuccessAction= does nothing", "engine/manager_units.cpp",
     "    emergency(config.success_action, id, config.success_action_exit_status, \"unit succeeded\");", "    ;"),
    ("action", "nobody has asked", "FailureAction= comes of a good end too", "engine/manager_units.cpp",
     "    emergency(config.success_action, id, config.success_action_exit_status, \"unit succeeded\");",
     "    emergency(config.failure_action, id, config.success_action_exit_status, \"unit succeeded\");"),
    ("shutdown", "is started in", "what is upheld is started in a shutdown", "engine/manager_dependencies.cpp",
     "  if (stopping() || rt.job.value != 0) return std::nullopt;", "  if (rt.job.value != 0) return std::nullopt;"),
    ("refused", "which its file refuses", "reload-or-start is no start to RefuseManualStart=", "graph/transaction.cpp",
     "  const bool starts = type == JobType::Start || restarts;", "  const bool starts = request.type == JobType::Start || restarts;"),
    ("commands", "no main process", "PIDFile= is not waited for", "engine/service_main_pid.cpp",
     "  if (!file_is_due) {", "  if (true) {"),
    ("ready", "what its Type=", "Type=notify is ready when it is spawned", "engine/service_start.cpp",
     "    case ServiceType::Notify:\n    case ServiceType::NotifyReload:\n      break;", "    case ServiceType::Notify:\n    case ServiceType::NotifyReload:\n      enter_start_post();\n      break;"),
    ("ready", "what its Type=", "Type=exec is ready before execve", "engine/service_start.cpp",
     "      if (event.exec_done) {", "      if (true) {"),
    ("ready", "what its Type=", "Type=dbus is ready without its name", "engine/service_start.cpp",
     "      if (state_.bus_name_good != 0) enter_start_post();", "      enter_start_post();"),
    ("timeout", "in start ", "TimeoutStartSec= of the main process is half as long", "engine/service_machine.cpp",
     "  state_.deadline = timed ? after(start_timeout()) : kNever;",
     "  state_.deadline = timed && start_timeout() != kInfinity ? after(start_timeout() / 2) : kNever;"),
    ("timeout", "in reload-signal", "a reload's signal has twice the time", "engine/service_reload.cpp",
     "    set_phase(ServicePhase::ReloadSignal);\n    state_.deadline = after(start_timeout());",
     "    set_phase(ServicePhase::ReloadSignal);\n    state_.deadline = start_timeout() == kInfinity ? kNever : after(2 * start_timeout());"),
    ("pulled-in", "Requires=", "Requires= starts nothing", "graph/transaction_closure.cpp",
     "    add(by, d.other, {JobType::Start, true, false});", "    ;"),
    ("pulled-in", "Requisite=", "Requisite= is not looked at", "graph/transaction_closure.cpp",
     "  if (d.kinds.any(kPullInVerify)) add(", "  if (false) add("),
    ("pulled-in", "Wants=", "Wants= starts nothing", "graph/transaction_closure.cpp",
     "    add(by, d.other, {JobType::Start, false, false});", "    ;"),
    ("propagated", "the reload job of", "reloads are not passed on", "graph/transaction_closure.cpp",
     "if (!d.kinds.any(kPropagateReload)) continue;", "continue;"),
    ("propagated", "the stop job of", "PropagatesStopTo= and PartOf= do nothing", "graph/transaction_closure.cpp",
     "    if (d.kinds.any(kPropagateStop)) add(", "    if (d.kinds.has(DependencyKind::RequiredBy)) add("),
    ("left-alive", "not sent SIGKILL", "stops signal nobody and take all for gone", "engine/manager_actions.cpp",
     "  const KillReport report = os_.kill(k);\n  if (report.error != 0) {\n    say(",
     "  return KillAnswer{false};\n  const KillReport report = os_.kill(k);\n  if (report.error != 0) {\n    say("),
    ("left-alive", "not sent SIGKILL", "SIGKILL is never sent", "engine/manager_actions.cpp",
     "      k.signal = config.final_kill_signal;", "      k.signal = config.kill_signal;"),
    ("left-alive", "not sent SIGKILL", "final-sigterm is the last of a stop", "engine/service_stop.cpp",
     "    enter_signal(ServicePhase::FinalSigkill, f);\n  } else {\n    enter_dead(f, f",
     "    enter_dead(f, true);\n  } else {\n    enter_dead(f, f"),
    ("left-alive", "not sent SIGKILL", "a stop signals the main process alone", "engine/manager_actions.cpp",
     "    case KillMode::ControlGroup:\n      k.to_rest = true;", "    case KillMode::ControlGroup:\n      k.to_rest = false;"),
    ("kill-mode", "to be spared", "KillMode=process signals everybody", "engine/manager_actions.cpp",
     "    case KillMode::Process:\n      break;", "    case KillMode::Process:\n      k.to_rest = true;\n      break;"),
    ("kill-mode", "to be spared", "KillMode=none signals as process does", "engine/manager_actions.cpp",
     "    case KillMode::None:\n      return KillAnswer{false};", "    case KillMode::None:\n      break;"),
    ("kill-mode", "to be spared", "KillMode=mixed asks everybody to end", "engine/manager_actions.cpp",
     "      k.to_rest = hard;", "      k.to_rest = true;"),
    ("requires", "goes on though", "a failed start takes nobody along", "engine/manager_jobs.cpp",
     "    failing_.push_back(job->id);", ""),
    ("requires", "goes on though", "Requisite= is content with what is down again", "engine/manager_jobs.cpp",
     "      fail_dependents(job.unit, Atom::PropagateInactiveStartAsFailure, job.type);", "      ;", 1800),
    ("requires", "goes on though", "who conflicts starts though the stop has failed", "engine/manager_jobs.cpp",
     "job.type == JobType::Stop ? Atom::PropagateStopFailure : Atom::PropagateStartFailure", "Atom::PropagateStartFailure"),
    ("requires", "that requires it is up", "who requires what is stopped stays up", "graph/transaction_closure.cpp",
     "    if (d.kinds.any(kPropagateStop)) add(by, d.other, {JobType::Stop, true, false});", "    ;"),
    ("binds-to", "that it is bound to", "what is bound is not looked at", "engine/manager_dependencies.cpp",
     "bool Manager::is_unbound(UnitId id) const {", "bool Manager::is_unbound(UnitId id) const {\n  return false;"),
    ("conflicts", "are both up", "a unit that comes up leaves what it conflicts with alone", "graph/transaction_closure.cpp",
     "    add(by, d.other, {JobType::Stop, true, true});", "    ;"),
    ("unneeded", "nothing needs it", "everything is needed", "engine/manager_dependencies.cpp",
     "bool Manager::is_needed(UnitId id) const {", "bool Manager::is_needed(UnitId id) const {\n  return true;"),
    ("unneeded", "needs it$", "StopWhenUnneeded= stops whatever needs the unit", "engine/manager_dependencies.cpp",
     "config.stop_when_unneeded && !is_needed(id)", "config.stop_when_unneeded"),
    ("unneeded", "does not ask for", "all is stopped that nothing needs", "engine/manager_dependencies.cpp",
     "graph_->unit(id).config.stop_when_unneeded && !is_needed(id)", "!is_needed(id)"),
    ("upheld", "that it upholds", "nothing is upheld", "engine/manager_dependencies.cpp",
     "    if (!d.kinds.any(held) || ", "    if (true || "),
    ("job-waits", "waits for nothing", "who waits is not woken", "engine/job_queue.cpp",
     "  for (JobId w : waiting) {", "  for (JobId w : std::vector<JobId>{}) {"),
    ("job-waits", "waits in a ring", "a restart's second half is in no cycle", "graph/transaction_cycles.cpp",
     "    if (restarts_start_) present->type = JobType::Start;", ""),
    ("job-waits", "runs, but", "a job that memory did not suffice for is not put back", "engine/manager_jobs.cpp",
     "      if (!is_run) queue.put_back(id, is_armed);", "      ;"),
    ("job-lost", "gone without a result", "a cancelled job's end is told to nobody", "engine/manager_jobs.cpp",
     "  announce(job, result);", "  if (result != JobResult::Canceled) announce(job, result);"),
    ("job-lost", "or twice", "the end of a job that timed out is told twice", "engine/manager_jobs.cpp",
     "  announce(job, result);", "  announce(job, result);\n  if (result == JobResult::Timeout) announce(job, result);"),
    ("job-lost", "were told", "jobs that others pull in are told to nobody", "engine/manager.cpp",
     "if (listener_ != nullptr) listener_->job_queued(*job);", "if (planned.is_anchor) listener_->job_queued(*job);"),
    ("job-result", "start job", "a start is done when it has begun", "engine/manager_units.cpp",
     "    case JobType::VerifyActive:\n      if (is_active_or_reloading(state)) {",
     "    case JobType::VerifyActive:\n      if (is_active_or_reloading(state) || (running && state == ActiveState::Activating)) {"),
    ("job-result", "verify-active job", "what is looked at is always up", "engine/manager_jobs.cpp",
     "  return Outcome::Skipped;\n}\n\n// ---- how a job ends", "  return Outcome::Already;\n}\n\n// ---- how a job ends"),
    ("job-result", "reload job", "every reload goes well", "engine/manager_units.cpp",
     "reload_failed_ ? JobResult::Failed : JobResult::Done", "JobResult::Done"),
    ("endless", "more to do", "reviews stop a unit as often as they like", "engine/manager_dependencies.cpp",
     "if (count_start(kLimit, now_.mono, count.begin, count.count)) return false;\n  timers_", "return false;\n  timers_"),
    ("record", "in phase", "a failed unit counts as inactive", "engine/manager_units.cpp",
     "  rt.active = after;", "  rt.active = after == ActiveState::Failed ? ActiveState::Inactive : after;"),
    ("record", "is down and has process", "a unit that is down keeps its main process", "engine/service_restart.cpp",
     "  state_.main.pid = 0;", ""),
    ("record", "result success", "what has ended well counts as failed", "engine/service_restart.cpp",
     "ServicePhase phase = well ? ServicePhase::Dead", "ServicePhase phase = skipped ? ServicePhase::Dead"),
    ("record", "a job that is not there", "a unit keeps the job that has ended", "engine/job_queue.cpp",
     "  if (rt.job == id) rt.job = {};", ""),
    ("record", "told was", "nothing stands by for a change that has begun", "engine/memory_reserve.cpp",
     "  if (open_reserve == nullptr || open_reserve->block_ == nullptr) {", "  if (true) {"),
    ("stuck", "there is no job", "a restart whose job has failed waits on", "engine/manager_dependencies.cpp",
     "  if (rt.job.value == 0 && rt.service.phase == ServicePhase::AutoRestartQueued) {", "  if (rt.service.phase == ServicePhase::Condition) {"),
    ("stuck", "without a deadline", "EXTEND_TIMEOUT_USEC= takes the deadline away", "engine/service_notify.cpp",
     "  if (state_.deadline != kNever) state_.deadline = std::max(state_.deadline, until);", "  state_.deadline = kNever;"),
    ("timeout", "in reload-signal", "a reload has no deadline", "engine/service_reload.cpp",
     "    set_phase(ServicePhase::ReloadSignal);\n    state_.deadline = after(start_timeout());",
     "    set_phase(ServicePhase::ReloadSignal);"),
    ("timeout", "in stop", "no signal has a deadline", "engine/service_stop.cpp",
     "  state_.deadline = stop_deadline(phase, aborts ? abort_timeout() : stop_timeout());", "  state_.deadline = kNever;"),
    ("stuck", "nothing can lead out", "an empty unit is not watched for", "engine/manager_actions.cpp",
     "  os_.watch_empty(id, true);\n  if (os_.has_processes(id)) return std::nullopt;", "  if (os_.has_processes(id)) return std::nullopt;"),
    ("shutdown", "does not end", "a shutdown without jobs waits on", "engine/manager_jobs.cpp",
     "    objective_ = shutdown_goal_;", "    ;"),
    ("shutdown", ".", "no memory in a change is an end to all changes", "engine/manager_jobs.cpp",
     "  dispatching_ = false;", "  dispatching_ = hold_until_ > now_.mono;"),
    ("shutdown", "nothing is due", "a budget ends nothing", "engine/manager_events.cpp",
     "  return objective_ == Objective::Run ? std::min(due, shutdown_deadline_) : due;", "  return due;"),
    ("shutdown", "may take longer", "a stop takes its time whatever the budget is", "engine/manager_shutdown.cpp",
     "  if (!stopping_ || shutdown_deadline_ == kNever) return kInfinity;", "  return kInfinity;"),
    ("shutdown", "may take longer", "a stop that is under way does not hear of the shutdown", "engine/manager_shutdown.cpp",
     "        runtime_[i].active == ActiveState::Deactivating)", "        runtime_[i].active == ActiveState::Maintenance)"),
    ("timeout", "in stop", "a machine's stop takes a thousand times as long", "engine/service_machine.cpp",
     "  if (context_.stop_budget == kInfinity) return after(limit);", "  if (context_.stop_budget == kInfinity) return after(limit == kInfinity ? limit : limit * 1000);"),
    ("timers", "is not armed", "the watchdog's deadline is not armed", "engine/manager_units.cpp",
     "std::min(deadline_of(id), s.watchdog_deadline));", "deadline_of(id));"),
    ("timers", "has a deadline", "a phase's deadline outlasts it", "engine/service_machine.cpp",
     "  state_.phase = phase;\n  state_.deadline = kNever;", "  state_.phase = phase;"),
    ("timers", "a job that has ended", "a job's deadline outlasts it", "engine/manager_jobs.cpp",
     "  timers_.set({TimerKey::Kind::Job, id.value}, kNever);", "  ;"),
    ("timers", "does not want", "a launch is tried again for a state that is over", "engine/manager_owed.cpp",
     "  timers_.set({TimerKey::Kind::Retry, id.value}, kNever);", "  ;"),
    ("timers", "to be reviewed", "a review is due of what is unloaded", "engine/manager_collect.cpp",
     "TimerKey::Kind::Retry, TimerKey::Kind::Review}", "TimerKey::Kind::Retry}"),
    ("timers", "does not have", "what has no deadline any more stays armed", "engine/manager_units.cpp",
     "  timers_.set({TimerKey::Kind::Unit, id.value}, std::min(deadline_of(id), s.watchdog_deadline));",
     "  if (std::min(deadline_of(id), s.watchdog_deadline) != kNever)\n    timers_.set({TimerKey::Kind::Unit, id.value}, std::min(deadline_of(id), s.watchdog_deadline));"),
    ("process", "another unit's by its pid", "a main process that was named is not found by its pid", "engine/manager_units.cpp",
     "  replace(before.main, now.main);", ""),
    ("process", "another unit's by its pid", "a new main process may be another unit's", "engine/manager_actions.cpp",
     "owner.valid() && owner != id) {", "owner.valid() && owner != id && id.value == UINT32_MAX) {"),
    ("process", "which has ended", "an end that comes before the launch's answer is forgotten", "engine/manager_actions.cpp",
     "    pids_[launched->pid] = id;", "    ;"),
    ("process", "nobody's any more", "an ExecReload= that timed out runs on", "engine/service_timeout.cpp",
     "if (control_alive()) act(KillControl{state_.control.pid});", ""),
    ("process", "nobody's any more", "a launch's answer names no main process", "engine/service_start.cpp",
     "  set_main(event.pid, false);", "  set_main(0, false);"),
    ("owed", "is owed", "what is owed waits for the unit's next event", "engine/manager_jobs.cpp",
     "  if (!owed_.empty()) {", "  if (owed_.size() > 9999) {"),
    ("unload", "was unloaded", "a unit is unloaded with its processes", "engine/manager_collect.cpp",
     "  if (!os_.has_processes(id)) return true;", "  return true;"),
]


def read(path):
    with open(path) as file:
        return file.read()


def link_command(build):
    """How onset-sim is linked: the commands of ninja, without writing anything."""
    listed = subprocess.run(["ninja", "-C", build, "-t", "commands", "onset-sim"], stdout=subprocess.PIPE,
                            text=True, check=True).stdout
    command = listed.strip().splitlines()[-1]
    found = re.search(r"(\S*g\+\+|\S*c\+\+)\s.*-o \S*onset-sim .*", command)
    return found.group(0).removesuffix(" && :").split(" && ")[0]


def compile_command(build, source):
    for entry in json.loads(read(os.path.join(build, "compile_commands.json"))):
        if os.path.realpath(os.path.join(entry["directory"], entry["file"])) == source:
            return shlex.split(entry["command"])
    raise SystemExit(f"{source} is compiled nowhere")


class Mutant:
    def __init__(self, build, folder, number, mutation):
        self.invariant, self.text, self.what, name, self.old, self.new = mutation[:6]
        self.seed = mutation[6] if len(mutation) > 6 else 1
        self.build = build
        self.source = os.path.join(REPOSITORY, "src", name)
        self.stem = os.path.join(folder, f"mutant-{number}")

    def make(self):
        text = read(self.source)
        if text.count(self.old) != 1:
            return f"{self.source} has {self.old!r} {text.count(self.old)} times, not once"
        with open(self.stem + ".cpp", "w") as file:
            file.write(text.replace(self.old, self.new))
        command = compile_command(self.build, self.source)
        command = [word for word in command if word != "-Werror" and not word.endswith("ccache")]
        command[command.index("-o") + 1] = self.stem + ".o"
        command[command.index("-c") + 1] = self.stem + ".cpp"
        command += ["-w", "-O1"]
        done = subprocess.run(command, cwd=self.build, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            return done.stdout
        link = shlex.split(link_command(self.build))
        output = link.index("-o")
        link[output + 1] = self.stem
        link.insert(output + 2, self.stem + ".o")
        done = subprocess.run(link, cwd=self.build, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.stdout if done.returncode != 0 else None

    def run(self, seconds):
        problem = self.make()
        if problem:
            return False, problem
        seen = set()
        command = [self.stem, "--seed", str(self.seed), "--seconds", str(seconds), "--no-shrink", "--keep-going"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sim:
            too_long = threading.Timer(seconds + 60, sim.kill)  # one that hangs is not noticed
            too_long.start()
            for line in sim.stdout:
                found = re.match(r"seed (\d+): ([a-z-]+): (.*)", line)
                if found:
                    seen.add(found.group(2))
                if found and found.group(2) == self.invariant and re.search(self.text, found.group(3)):
                    too_long.cancel()
                    sim.kill()
                    return True, f"seed {found.group(1)}"
        too_long.cancel()
        others = ", ".join(sorted(seen))
        return False, f"not as {self.text!r}, by {others} alone" if others else "not noticed"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=30, help="that a mutant has to be noticed in")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    chosen = [m for m in MUTATIONS if options.only in f"{m[0]}: {m[2]}"]
    failed = 0
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        mutants = [Mutant(build, folder, number, mutation) for number, mutation in enumerate(chosen)]
        results = pool.map(lambda mutant: mutant.run(options.seconds), mutants)
        for mutant, (noticed, how) in zip(mutants, results):
            failed += not noticed
            print(f"{'✔' if noticed else '✘'} {mutant.invariant}: {mutant.what} ({how})", flush=True)
    print(f"{len(chosen) - failed} of {len(chosen)} mutations noticed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
