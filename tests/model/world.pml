/* Included by jobs.pml. */
/* ---- the world: requests, and what services do ---------------------------------------------------- */

#ifdef REQUESTS
byte left = REQUESTS;
#define MAY_ASK (QUIET && left > 0)
#define ASKED left--
#define CLOSED (left == 0)
#else
bool closed; /* no more requests come */
#define MAY_ASK (QUIET && !closed)
#define ASKED skip
#define CLOSED closed
#endif

#define EVENT(what, x) SAY_WHERE; SAY((what, 97 + x))

#define REQUEST(x, y, what) \
  :: atomic { d_step { MAY_ASK -> EVENT(what, x); ASKED; requests!x,y,REPLACE,BY_USER }; event!true }

/* The main process of x ends. */
#define MAIN_ENDS(x, badly, what) \
  :: atomic { d_step { QUIET && main[x] -> \
       EVENT(what, x); \
       main[x] = false; \
       bad[x] = bad[x] || badly || phase[x] == STARTING; /* before it was ready */ \
       if \
       :: phase[x] == RELOADING -> skip \
       :: STOPPING(x) && !control[x] -> goes_down(x) \
       :: STOPPING(x) && control[x] -> skip \
       :: else -> terminate(x) \
       fi; \
       skip }; event!true }

#define CONTROL_ENDS(x, badly, what) \
  :: atomic { d_step { QUIET && control[x] && !spent[x] -> \
       EVENT(what, x); \
       control[x] = false; \
       if \
       :: phase[x] == RELOADING && main[x] -> changes!x,RUNNING,badly \
       :: phase[x] == RELOADING && !main[x] -> terminate(x) \
       :: STOPPING(x) -> \
         bad[x] = bad[x] || badly; \
         if \
         :: main[x] -> skip \
         :: else -> goes_down(x) \
         fi \
       fi; \
       skip }; event!true }

#define SERVICE(x) \
  REQUEST(x, START, "EVENT request_start %c\n") \
  REQUEST(x, STOP, "EVENT request_stop %c\n") \
  REQUEST(x, RESTART, "EVENT request_restart %c\n") \
  REQUEST(x, RELOAD, "EVENT request_reload %c\n") \
  :: atomic { d_step { QUIET && phase[x] == STARTING -> \
       EVENT("EVENT gets_ready %c\n", x); changes!x,RUNNING,false }; event!true } \
  MAIN_ENDS(x, false, "EVENT main_exits %c\n") \
  MAIN_ENDS(x, true, "EVENT main_fails %c\n") \
  CONTROL_ENDS(x, false, "EVENT reload_exits %c\n") \
  CONTROL_ENDS(x, true, "EVENT reload_fails %c\n")

active proctype world() {
end:
  do
  SERVICE(A)
  SERVICE(B)
  SERVICE(C)
  :: atomic { d_step { MAY_ASK && !shutdown ->
       EVENT("EVENT shuts_down %c\n", A);
       ASKED;
       requests!ALL,STOP,IRREVERSIBLY,BY_USER };
       event!true }
#ifdef FILES
  /* Unit files are read again, as often as anybody likes. */
  :: atomic { d_step { QUIET -> EVENT("EVENT reads_files %c\n", A); look_again(); skip }; event!true }
#endif
#ifndef REQUESTS
  :: d_step { QUIET && !closed -> closed = true; SAY(("CLOSED\n")) }
#endif
  od
}

/* ---- what is sure to happen: time passes, and SIGKILL ends a process ------------------------------- */

/* The time of x is over. */
inline elapse(x) {
  if
  :: phase[x] == STARTING -> bad[x] = true; terminate(x)
  :: phase[x] == RELOADING ->
    if
    :: main[x] -> control[x] = false; changes!x,RUNNING,true /* killed, and gone before long */
    :: else -> spent[x] = true; terminate(x)
    fi
  :: phase[x] == SIGTERM -> bad[x] = true; changes!x,SIGKILL,false
  fi
}

#ifdef TRACE
/* What has got SIGKILL is gone before any time is over. */
#define KILLED(x) (phase[x] == SIGKILL || spent[x])
#define FIRST(x) ((x == A || rank[A] != 1) && (x != C || rank[B] != 1))
#define TIME_OUT(x) \
  :: atomic { \
       d_step { QUIET && rank[x] == 1 && FIRST(x) && !KILLED(A) && !KILLED(B) && !KILLED(C) -> \
         EVENT("EVENT times_out %c\n", x); \
         elapse(x); \
         u = x + 1; \
         do \
         :: u < UNITS && rank[u] == 1 -> elapse(u); u++ \
         :: u < UNITS && rank[u] != 1 -> u++ \
         :: else -> break \
         od; \
         skip }; \
       event!true }
#else
#define TIME_OUT(x) \
  :: atomic { d_step { QUIET && TIMED(x) -> EVENT("EVENT times_out %c\n", x); elapse(x); skip }; event!true }
#endif

#define CLOCK(x) \
  TIME_OUT(x) \
  :: atomic { d_step { QUIET && phase[x] == SIGKILL && main[x] -> \
       EVENT("EVENT main_killed %c\n", x); \
       main[x] = false; \
       if \
       :: control[x] -> skip \
       :: else -> goes_down(x) \
       fi; \
       skip }; event!true } \
  :: atomic { d_step { QUIET && (phase[x] == SIGKILL || spent[x]) && control[x] -> \
       EVENT("EVENT reload_killed %c\n", x); \
       control[x] = false; \
       if \
       :: main[x] -> skip \
       :: else -> goes_down(x) \
       fi; \
       skip }; event!true }

active proctype clock() {
end:
  do
  CLOCK(A)
  CLOCK(B)
  CLOCK(C)
  od
}
