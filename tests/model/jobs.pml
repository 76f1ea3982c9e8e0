/* The job engine: three services, the transaction that a request becomes, the queue of jobs,
 * what a state change means for jobs and neighbours, and a shutdown. docs/model.md says what
 * each property is, run.py runs them all.
 *
 *   world, clock  ──event──→  manager:  settle → failing → jobs → requests → reviews
 *
 * Events are taken when the manager has nothing to do: each is worked off whole, as PID 1 does.
 *
 *   transaction.pml what a request becomes
 *   world.pml       what happens: requests, services, time
 *   shape.h         which dependencies the three have: REQUIRES(u, v) if u has Requires=v, and
 *                   so on; run.py writes it
 *   -DREQUESTS=n    that many requests and then no more; without it there is no end of them
 *   -DTRACE         for the replay: timers elapse in the order in which they were set, and what
 *                   is to be seen is printed after each event
 *   -DBREAK_x       one thing is wrong, for a property that must notice
 */
#include "shape.h"

#define A 0
#define B 1
#define C 2
#define UNITS 3

/* What the other end of a dependency means: src/graph/atoms.h. */
#define STOPS(u, v) (REQUIRES(v, u) || BINDS(v, u) || REQUISITE(v, u) || PART_OF(v, u))
#define START_FAILS(u, v) (REQUIRES(v, u) || BINDS(v, u) || REQUISITE(v, u))
#define HAS_BINDS(u) (BINDS(u, A) || BINDS(u, B) || BINDS(u, C))
#define REVIEWS(u, v) \
  (REQUIRES(u, v) || WANTS(u, v) || REQUISITE(u, v) || BINDS(u, v) || BINDS(v, u))
#define IN_CONFLICT(u) \
  (CONFLICTING(u, A) || CONFLICTING(u, B) || CONFLICTING(u, C) || CONFLICTING(A, u) || \
   CONFLICTING(B, u) || CONFLICTING(C, u))

/* ---- what a unit is doing ------------------------------------------------------------- */

#define DEAD 0
#define STARTING 1
#define RUNNING 2
#define RELOADING 3
#define SIGTERM 4
#define SIGKILL 5
#define FAILED 6

byte phase[UNITS];
bool main[UNITS];     /* its main process lives */
bool control[UNITS];  /* its ExecReload= process lives */
bool spent[UNITS];    /* and has got SIGKILL for the time that it took: how it ends is all one */
bool bad[UNITS];      /* something has failed since the start */

#define DOWN(u) (phase[u] == DEAD || phase[u] == FAILED)
#define UP(u) (phase[u] == RUNNING || phase[u] == RELOADING)
#define STOPPING(u) (phase[u] == SIGTERM || phase[u] == SIGKILL)
#define DOWN_OR_GOING(u) (DOWN(u) || STOPPING(u))
#define TIMED(u) (phase[u] == STARTING || phase[u] == RELOADING || phase[u] == SIGTERM)

/* Active states of phases: a change of phase alone is no news to others. */
#define ACTIVE(into) \
  (into == SIGKILL -> SIGTERM : into)
#define IS_DOWN(into) (into == DEAD || into == FAILED)
#define GOES_UP(into) (into == STARTING || into == RUNNING || into == RELOADING)

/* ---- jobs --------------------------------------------------------------------------------- */

#define NONE 0
#define START 1
#define VERIFY 2
#define STOP 3
#define RELOAD 4
#define RESTART 5

byte job[UNITS];
bool runs[UNITS];          /* running, else waiting */
bool irreversible[UNITS];
bool in_queue[UNITS];
byte parked[UNITS];        /* 1 + the unit whose job it waits for */
chan run_queue = [UNITS] of { byte };

#define IS_STOP(kind) (kind == STOP || kind == RESTART)

/* systemd.unit(5), Before= and After=. */
#define MUST_WAIT(u, v) \
  (v != u && job[v] != NONE && \
   ((AFTER(u, v) && !IS_STOP(job[u])) || (AFTER(v, u) && IS_STOP(job[v]))))

/* A set of job types, one bit each, and the one that does the work of all: src/graph/job_type.h.
 * Whoever asks has ruled out a stop beside another. */
#define BIT(kind) (1 << (kind))
#define ONE_OF(kinds, u) \
  ((kinds & BIT(STOP)) -> STOP : \
   ((kinds & BIT(RESTART)) -> RESTART : \
   ((kinds & BIT(RELOAD)) -> \
     (((kinds & BIT(START)) && DOWN_OR_GOING(u)) -> START : RELOAD) : \
   ((kinds & BIT(START)) -> START : VERIFY))))
#define CONFLICTS(kind, s) (kind != NONE && s != NONE && ((kind == STOP) != (s == STOP)))

/* ---- what the manager has to do ------------------------------------------------------------- */

#define R_DONE 0
#define R_CANCELED 1
#define R_FAILED 2
#define R_DEPENDENCY 3
#define R_SKIPPED 4
#define R_INVALID 5

#define REPLACE 0
#define FAIL 1
#define IRREVERSIBLY 2
#define BY_USER 0
#define BY_CHANGE 1
#define BY_REVIEW 2
#define ALL 3 /* a request for this unit is the shutdown */

chan changes = [6] of { byte, byte, bool };   /* unit, its next phase, a reload that failed */
chan failing = [UNITS] of { byte };           /* jobs that end because one they need did */
chan requests = [4] of { byte, byte, byte, byte };  /* unit, type, mode, who asks */
bool to_review[UNITS];
bool refused[UNITS];                          /* reviewed when the next job has ended */

bool shutdown;   /* asked for */
bool last_job;   /* shutdown.target's */
bool ended;
/* Something has happened: the manager works it off at once. */
chan event = [0] of { bool };

#define IDLE \
  (len(changes) == 0 && len(failing) == 0 && len(run_queue) == 0 && len(requests) == 0 && \
   !to_review[A] && !to_review[B] && !to_review[C])
#define NO_JOBS (job[A] == NONE && job[B] == NONE && job[C] == NONE && !last_job)
/* An event may come. */
#define QUIET (IDLE && !ended)

/* Every job that was queued has one end: what the listener has been told. */
bool owed[UNITS];
/* The start of what it requires has failed while its own was queued. */
bool doomed[UNITS];
/* A later request has taken back the stop that was to make room for what conflicts: as in
 * systemd, what was queued is run all the same. */
bool spared[UNITS];

#ifdef TRACE
/* 1: the timer elapses next, all of a number at once; 0: there is none. A time-out is as long
 * for one unit as for another. */
byte rank[UNITS];
bool armed[UNITS]; /* since the last event */
#endif
#define SAY(x) printf x
/* The whole of a state in four numbers. */
#ifdef TRACE
#define NUMBER(x) \
  (phase[x] + (main[x] << 3) + (control[x] << 4) + (bad[x] << 5) + (job[x] << 6) + \
   (runs[x] << 9) + (irreversible[x] << 10) + (parked[x] << 11) + (refused[x] << 13) + \
   (spared[x] << 14) + (doomed[x] << 15) + (rank[x] << 16) + (spent[x] << 18))
#define SAY_WHERE \
  printf("WHERE %d %d %d %d\n", NUMBER(0), NUMBER(1), NUMBER(2), \
         shutdown + (last_job << 1) + (ended << 2))
#else
#define SAY_WHERE skip
#endif

/* Scratch: set before it is read in every step, so no part of the state. */
hidden byte u, v, w, kind, into, before, kinds, result, type, mode, anchor, about, nth, node;
hidden byte drafted, blocker;
hidden byte unexpected, spoiled, who, is_refused, more, stays;
hidden int alive, matter, conflicted, one, dropped, covered, some;
hidden int must[15];
hidden int may[15];
hidden byte order[15];
hidden byte planned[UNITS];

#define NODE(u, kind) ((u) * 5 + (kind) - 1)
#define AT(node) (1 << (node))
#define UNIT_OF(node) ((node) / 5)
#define TYPE_OF(node) ((node) % 5 + 1)
#define NODES_OF(u) (31 << ((u) * 5))

/* unit: phase, main and control process, whether anything has failed; job, its state. */
inline print_unit(x) {
  if
  :: phase[x] == DEAD -> SAY((" dead"))
  :: phase[x] == STARTING -> SAY((" start"))
  :: phase[x] == RUNNING -> SAY((" running"))
  :: phase[x] == RELOADING -> SAY((" reload"))
  :: phase[x] == SIGTERM -> SAY((" stop-sigterm"))
  :: phase[x] == SIGKILL -> SAY((" stop-sigkill"))
  :: phase[x] == FAILED -> SAY((" failed"))
  fi;
  SAY((" %d%d%d", main[x], control[x], bad[x]));
  print_type(job[x]);
  if
  :: job[x] == NONE -> SAY((" -"))
  :: job[x] != NONE && runs[x] -> SAY((" running"))
  :: job[x] != NONE && !runs[x] -> SAY((" waiting"))
  fi;
  SAY((" %d", irreversible[x]))
}

inline print_type(x) {
  if
  :: x == NONE -> SAY((" -"))
  :: x == START -> SAY((" start"))
  :: x == VERIFY -> SAY((" verify-active"))
  :: x == STOP -> SAY((" stop"))
  :: x == RELOAD -> SAY((" reload"))
  :: x == RESTART -> SAY((" restart"))
  fi
}

inline print_result(x) {
  if
  :: x == R_DONE -> SAY((" done"))
  :: x == R_CANCELED -> SAY((" canceled"))
  :: x == R_FAILED -> SAY((" failed"))
  :: x == R_DEPENDENCY -> SAY((" dependency"))
  :: x == R_SKIPPED -> SAY((" skipped"))
  :: x == R_INVALID -> SAY((" invalid"))
  fi
}

/* ---- the queue ---------------------------------------------------------------------------- */

inline enqueue(x) {
  parked[x] = 0;
  if
  :: in_queue[x] -> skip
  :: else ->
    in_queue[x] = true;
    run_queue!x;
    if
    :: job[x] == VERIFY -> /* Requisite= fails before what it would hold up runs */
      node = len(run_queue) - 1;
      do
      :: node > 0 -> run_queue?kind; run_queue!kind; node--
      :: else -> break
      od
    :: else -> skip
    fi
  fi
}

inline look_again() {
  u = 0;
  do
  :: u < UNITS ->
    if
    :: job[u] != NONE && !runs[u] -> enqueue(u)
    :: else -> skip
    fi;
    u++
  :: else -> break
  od
}

/* The jobs that waited for that of x are looked at again. */
inline wake(x) {
#ifndef BREAK_WAKE
  w = 0;
  do
  :: w < UNITS ->
    if
    :: parked[w] == x + 1 && job[w] != NONE && !runs[w] -> enqueue(w)
    :: else -> skip
    fi;
    w++
  :: else -> break
  od
#else
  skip
#endif
}

inline forget_job(x) {
  assert(owed[x]); /* one end, not two */
  owed[x] = false;
  doomed[x] = false;
  job[x] = NONE;
  runs[x] = false;
  irreversible[x] = false;
  parked[x] = 0;
  if
  :: in_queue[x] -> run_queue??eval(x); in_queue[x] = false
  :: else -> skip
  fi;
  wake(x)
}

inline review_neighbours(x) {
  w = 0;
  do
  :: w < UNITS ->
    if
    :: HAS_BINDS(w) && (w == x || REVIEWS(x, w)) -> to_review[w] = true
    :: else -> skip
    fi;
    w++
  :: else -> break
  od
}

/* The end of a job. fails: what depends on it fails with it. */
inline finish(x, how, fails) {
  if
  :: how == R_DONE && job[x] == RESTART -> /* its first half */
    job[x] = START;
    runs[x] = false;
    enqueue(x);
    wake(x)
  :: else ->
    type = job[x];
    SAY(("END %c", 97 + x));
    print_type(type);
    print_result(how);
    SAY(("\n"));
    forget_job(x);
    w = 0;
    do
    :: w < UNITS ->
      doomed[w] = doomed[w] || (job[w] == START && START_FAILS(x, w) && how != R_DONE &&
                                (type == START || type == VERIFY));
      w++
    :: else -> break
    od;
    w = 0;
    do
    :: fails && w < UNITS ->
      if
      :: w != x && (job[w] == START || job[w] == VERIFY) &&
         ((how != R_DONE && (type == START || type == VERIFY) && START_FAILS(x, w)) ||
          (how != R_DONE && type == STOP && CONFLICTING(w, x)) ||
          (how == R_DONE && type == START && !UP(x) && REQUISITE(w, x))) ->
#ifndef BREAK_DEPENDENTS
        if
        :: !(failing??[eval(w)]) -> failing!w
        :: else -> skip
        fi
#else
        skip
#endif
      :: else -> skip
      fi;
      w++
    :: else -> break
    od;
    review_neighbours(x);
    w = 0;
    do
    :: w < UNITS -> to_review[w] = to_review[w] || refused[w]; refused[w] = false; w++
    :: else -> break
    od
  fi
}

/* ---- a unit has changed ----------------------------------------------------------------------- */

inline arm(x) {
#ifdef TRACE
  rank[x] = 0;
  armed[x] = TIMED(x)
#else
  skip
#endif
}

/* Taken over: its job first, then what it means for others. */
inline settle() {
  changes?u,into,spoiled;
  before = phase[u];
  phase[u] = into;
  if
  :: IS_DOWN(into) -> main[u] = false; control[u] = false; spent[u] = false; spared[u] = false
  :: else -> skip
  fi;
  arm(u);
  unexpected = job[u] == NONE;
  result = 255;
  if
  :: job[u] == START || job[u] == VERIFY ->
    if
    :: UP(u) -> result = R_DONE
    :: !UP(u) && runs[u] && into != STARTING ->
      unexpected = true;
      if
      :: DOWN(u) -> result = (into == FAILED -> R_FAILED : R_DONE)
      :: else -> skip
      fi
    :: else -> skip
    fi
  :: job[u] == RELOAD && runs[u] ->
    if
    :: into == RUNNING -> result = (spoiled -> R_FAILED : R_DONE)
    :: DOWN_OR_GOING(u) ->
      unexpected = true;
      if
      :: DOWN(u) -> result = (into == FAILED -> R_FAILED : R_DONE)
      :: else -> skip
      fi
    :: else -> skip
    fi
  :: IS_STOP(job[u]) ->
    if
    :: DOWN(u) -> result = R_DONE
    :: !DOWN(u) && runs[u] && !STOPPING(u) -> unexpected = true; result = R_FAILED
    :: else -> skip
    fi
  :: else -> skip
  fi;
  if
  :: result != 255 -> finish(u, result, true)
  :: else -> skip
  fi;
#ifndef BREAK_RETRY
  if
  :: job[u] != NONE && !runs[u] -> enqueue(u)
  :: else -> skip
  fi;
#endif
  if
  :: ACTIVE(before) != ACTIVE(into) ->
    if
    :: unexpected && GOES_UP(before) && !GOES_UP(into) ->
      v = 0;
      do
      :: v < UNITS ->
        if
        :: BINDS(v, u) && !DOWN_OR_GOING(v) -> requests!v,STOP,REPLACE,BY_CHANGE
        :: else -> skip
        fi;
        v++
      :: else -> break
      od
    :: else -> assert(!(unexpected && !GOES_UP(before) && GOES_UP(into)))
    fi;
    review_neighbours(u)
  :: else -> skip
  fi
}

/* No process is left, or the signal has nobody to reach: through stop-sigterm to the end. */
inline goes_down(x) {
  changes!x,(bad[x] -> FAILED : DEAD),false
}

/* KillSignal= is sent; what there is to wait for is waited for. */
inline terminate(x) {
  changes!x,SIGTERM,false;
  if
  :: main[x] || control[x] -> skip
  :: else -> goes_down(x)
  fi
}

/* ---- a job's turn -------------------------------------------------------------------------------- */

inline check_start(x) {
  /* A unit starts only when the jobs ordered before it have ended, whoever's they are. */
  v = 0;
  do
  :: v < UNITS ->
    assert(!(AFTER(x, v) && job[v] != NONE));
    assert(!(AFTER(v, x) && (job[v] == STOP || job[v] == RESTART)));
    /* What it is bound to and waits for is up. */
    assert(!(BINDS(x, v) && AFTER(x, v) && !UP(v)));
    v++
  :: else -> break
  od;
  /* Nothing that it requires has failed to start. */
  assert(!doomed[x]);
  /* No shutdown starts anything. */
  assert(!shutdown)
}

inline check_stop(x) {
  v = 0;
  do
  :: v < UNITS -> assert(!(AFTER(v, x) && IS_STOP(job[v]) && v != x)); v++
  :: else -> break
  od
}

inline run_job() {
  run_queue?u;
  in_queue[u] = false;
  if
  :: job[u] == NONE || runs[u] -> skip
  :: else ->
    blocker = 255;
    v = 0;
    do
    :: v < UNITS ->
#ifdef BREAK_ORDER
      if
      :: MUST_WAIT(u, v) && job[u] != START -> blocker = v
      :: else -> skip
      fi;
#else
#ifdef BREAK_STOP_ORDER
      if
      :: MUST_WAIT(u, v) && !IS_STOP(job[u]) -> blocker = v
      :: else -> skip
      fi;
#else
      if
      :: MUST_WAIT(u, v) -> blocker = v
      :: else -> skip
      fi;
#endif
#endif
      v++
    :: else -> break
    od;
    if
    :: blocker != 255 -> parked[u] = blocker + 1
    :: else -> runs[u] = true; begin(u)
    fi
  fi
}

inline begin(x) {
  result = 255;
  if
  :: job[x] == START ->
    if
    :: UP(x) -> result = R_DONE
    :: phase[x] == STARTING -> skip
    :: STOPPING(x) -> runs[x] = false
    :: DOWN(x) ->
      v = 0;
      do
      :: v < UNITS ->
        if
#ifndef BREAK_BINDS
        :: BINDS(x, v) && AFTER(x, v) && !UP(v) -> result = R_DEPENDENCY
#endif
        :: else -> skip
        fi;
        v++
      :: else -> break
      od;
      if
      :: result == 255 ->
        check_start(x);
        bad[x] = false;
        main[x] = true;
        changes!x,STARTING,false
      :: else -> skip
      fi
    fi
  :: job[x] == VERIFY ->
    if
    :: UP(x) -> result = R_DONE
    :: phase[x] == STARTING -> runs[x] = false
    :: else -> result = R_SKIPPED
    fi
  :: IS_STOP(job[x]) ->
    if
    :: DOWN(x) -> result = R_DONE
    :: STOPPING(x) -> skip
    :: else -> check_stop(x); terminate(x)
    fi
  :: job[x] == RELOAD ->
    if
    :: phase[x] == STARTING || phase[x] == RELOADING -> runs[x] = false
    :: phase[x] == RUNNING -> control[x] = true; changes!x,RELOADING,false
    :: else -> result = R_INVALID
    fi
  fi;
  if
  :: result != 255 -> finish(x, result, true)
  :: else -> skip
  fi
}

#include "transaction.pml"

/* ---- reviews: BindsTo= ------------------------------------------------------------------------------ */

inline review() {
  if
  :: to_review[A] -> u = A
  :: !to_review[A] && to_review[B] -> u = B
  :: else -> u = C
  fi;
  to_review[u] = false;
  v = 0;
  do
  :: v < UNITS && job[u] == NONE && !shutdown && GOES_UP(phase[u]) ->
    if
    :: BINDS(u, v) && DOWN_OR_GOING(v) && job[v] == NONE -> requests!u,STOP,FAIL,BY_REVIEW; break
    :: else -> skip
    fi;
    v++
  :: else -> break
  od
}

/* What holds whenever the manager has nothing to do. */
inline check_quiet() {
  u = 0;
  do
  :: u < UNITS ->
    assert((job[u] != NONE) == owed[u]);
    kinds = false; /* does one that it conflicts with come or stay? */
    v = 0;
    do
    :: v < UNITS ->
      kinds = kinds || ((CONFLICTING(u, v) || CONFLICTING(v, u)) &&
                        (job[v] == START || job[v] == RESTART || GOES_UP(phase[v])));
      v++
    :: else -> break
    od;
    spared[u] = spared[u] && GOES_UP(phase[u]) && kinds;
    v = 0;
    do
    :: v < UNITS ->
      assert(!(CONFLICTING(u, v) && GOES_UP(phase[u]) && GOES_UP(phase[v])) || spared[u] ||
             spared[v]);
      /* Bound: never up without the other, unless it is being stopped or the other comes. */
      assert(!(BINDS(u, v) && UP(u) && DOWN_OR_GOING(v) && job[u] == NONE && job[v] == NONE &&
               !shutdown));
      v++
    :: else -> break
    od;
    u++
  :: else -> break
  od;
  u = 0;
  v = 0
}

#ifdef TRACE
inline set_ranks() {
  kind = 0;
  u = 0;
  do
  :: u < UNITS -> kind = (rank[u] > kind -> rank[u] : kind); u++
  :: else -> break
  od;
  u = 0;
  do
  :: u < UNITS -> rank[u] = (armed[u] -> kind + 1 : rank[u]); armed[u] = false; u++
  :: else -> break
  od;
  kind = 1; /* none is left out */
  do
  :: kind <= UNITS ->
    node = 0;
    u = 0;
    do
    :: u < UNITS -> node = (rank[u] >= kind && (node == 0 || rank[u] < node) -> rank[u] : node); u++
    :: else -> break
    od;
    u = 0;
    do
    :: u < UNITS -> rank[u] = (rank[u] > 0 && rank[u] == node -> kind : rank[u]); u++
    :: else -> break
    od;
    kind++
  :: else -> break
  od
}
#endif

inline look() {
#ifdef TRACE
  set_ranks();
  SAY(("STATE"));
  print_unit(A);
  print_unit(B);
  print_unit(C);
  SAY((" %d %d\n", shutdown, ended));
  SAY_WHERE;
#endif
  skip
}

/* What an event asks for, until nothing is left: in the order of Manager::dispatch(). */
active proctype manager() {
end:
  do
  :: atomic {
       event?true ->
       do
       :: d_step { len(changes) > 0 -> settle(); skip }
       :: d_step { len(changes) == 0 && len(failing) > 0 ->
            failing?u;
            if
            :: job[u] != NONE -> finish(u, R_DEPENDENCY, true)
            :: else -> skip
            fi;
            skip }
       :: d_step { len(changes) == 0 && len(failing) == 0 && len(run_queue) > 0 -> run_job(); skip }
       :: d_step { len(changes) == 0 && len(failing) == 0 && len(run_queue) == 0 &&
                   len(requests) > 0 -> transact(); skip }
       :: d_step { len(changes) == 0 && len(failing) == 0 && len(run_queue) == 0 &&
                   len(requests) == 0 && !IDLE -> review(); skip }
       :: IDLE -> break
       od;
       d_step {
#ifndef BREAK_END
         if
         :: last_job && job[A] == NONE && job[B] == NONE && job[C] == NONE ->
           last_job = false;
           ended = true
         :: else -> skip
         fi;
#endif
         check_quiet();
         look()
       }
     }
  od
}

#include "world.pml"

/* A state in which nothing moves is an end only if nothing is left to do. */
active proctype rest() {
  ended || (CLOSED && QUIET && NO_JOBS && !shutdown)
}

/* ---- properties ------------------------------------------------------------------------------------ */

/* Once nobody asks for more. */
ltl jobs_end {
  [] (CLOSED ->
      (([] <> (job[A] == NONE)) && ([] <> (job[B] == NONE)) && ([] <> (job[C] == NONE))))
}
ltl shutdown_ends { [] ((CLOSED && shutdown) -> <> ended) }
