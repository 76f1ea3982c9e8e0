/* ---- a transaction: src/graph/transaction.h has the steps ------------------------------------------- */

/* x pulls in job y of unit z. */
inline pull(x, z, y, matters) {
  one = AT(NODE(z, y));
  if
  :: (alive & one) == 0 -> alive = alive | one; order[drafted] = NODE(z, y); drafted++
  :: else -> skip
  fi;
  if
  :: matters -> must[x] = must[x] | one
  :: else -> may[x] = may[x] | one
  fi
}

inline close_over() {
  nth = 0;
  do
  :: nth < 15 -> must[nth] = 0; may[nth] = 0; nth++
  :: else -> break
  od;
  conflicted = 0;
  nth = 0;
  do
  :: nth < drafted ->
    node = order[nth];
    u = UNIT_OF(node);
    kind = TYPE_OF(node);
    v = 0;
    do
    :: v < UNITS ->
      if
      :: v != u && (kind == START || kind == RESTART) ->
        if
        :: REQUIRES(u, v) || BINDS(u, v) -> pull(node, v, START, true)
        :: WANTS(u, v) -> pull(node, v, START, false)
        :: else -> skip
        fi;
        if
        :: REQUISITE(u, v) -> pull(node, v, VERIFY, true)
        :: else -> skip
        fi;
        if
        :: CONFLICTING(u, v) ->
#ifndef BREAK_CONFLICT
          pull(node, v, STOP, true);
          conflicted = conflicted | AT(NODE(v, STOP))
#else
          skip
#endif
        :: !CONFLICTING(u, v) && CONFLICTING(v, u) -> pull(node, v, STOP, false)
        :: else -> skip
        fi
      :: else -> skip
      fi;
      v++
    :: else -> break
    od;
    v = 0;
    do
    :: v < UNITS ->
      if
#ifndef BREAK_STOP
      :: v != u && kind == STOP && STOPS(u, v) -> pull(node, v, STOP, true)
#endif
      :: v != u && kind == RESTART && STOPS(u, v) && !DOWN_OR_GOING(v) -> pull(node, v, RESTART, true)
      :: v != u && kind == RELOAD && RELOADS(u, v) && !DOWN_OR_GOING(v) -> pull(node, v, RELOAD, false)
      :: else -> skip
      fi;
      v++
    :: else -> break
    od;
    nth++
  :: else -> break
  od
}

/* covered: what the roots lead to over the jobs alive, by links that matter or all. */
inline reach(roots, all) {
  covered = roots & alive;
  more = true;
  do
  :: more ->
    more = false;
    nth = 0;
    do
    :: nth < drafted ->
      node = order[nth];
      some = must[node];
      if
      :: all -> some = some | may[node]
      :: else -> skip
      fi;
      some = some & alive;
      if
      :: (covered & AT(node)) && (some & ~covered) -> covered = covered | some; more = true
      :: else -> skip
      fi;
      nth++
    :: else -> break
    od
  :: else -> break
  od
}

/* Drops the jobs in "dropped": with those that they matter to, if told so, and with what nothing
 * else has pulled in. Never the anchor. */
inline drop(dependents) {
  more = dependents;
  do
  :: more ->
    more = false;
    nth = 0;
    do
    :: nth < drafted ->
      node = order[nth];
      if
      :: node != anchor && (alive & AT(node)) && !(dropped & AT(node)) && (must[node] & dropped) ->
        dropped = dropped | AT(node);
        more = true
      :: else -> skip
      fi;
      nth++
    :: else -> break
    od
  :: else -> break
  od;
  alive = alive & ~(dropped & ~AT(anchor));
  if
  :: mode != IRREVERSIBLY -> reach(AT(anchor), true); alive = covered
  :: else -> skip
  fi
}

/* All that is so already: of one unit all its jobs or none. */
inline drop_redundant() {
  v = 0;
  do
  :: v < UNITS ->
    kinds = 0;
    stays = false;
    kind = START;
    do
    :: kind <= RESTART ->
      if
      :: alive & AT(NODE(v, kind)) ->
        kinds = 1;
        if
        :: NODE(v, kind) == anchor || CONFLICTS(job[v], kind) ||
           !(((kind == START || kind == VERIFY) && UP(v)) || (kind == STOP && DOWN(v)) ||
             (kind == RELOAD && phase[v] == RELOADING)) -> stays = true
        :: else -> skip
        fi
      :: else -> skip
      fi;
      kind++
    :: else -> break
    od;
    if
    :: kinds && !stays -> dropped = NODES_OF(v); drop(false)
    :: else -> skip
    fi;
    v++
  :: else -> break
  od
}

/* Of a stop and another job of one unit, what does not matter goes; if neither does, the stop,
 * unless a Conflicts= asks for it. */
inline resolve(x) {
  more = true;
  do
  :: (alive & AT(NODE(x, STOP))) && (alive & NODES_OF(x) & ~AT(NODE(x, STOP))) && !is_refused ->
    some = alive & NODES_OF(x) & ~AT(NODE(x, STOP));
    stays = (matter & AT(NODE(x, STOP))) != 0;
    if
    :: stays && (some & matter) -> is_refused = true
    :: else ->
      if
      :: stays || (!(some & matter) && (conflicted & AT(NODE(x, STOP)))) -> dropped = some & ~matter
      :: else -> dropped = AT(NODE(x, STOP))
      fi;
      drop(true)
    fi
  :: else -> break
  od
}

inline install(x) {
  if
  :: CONFLICTS(job[x], planned[x]) ->
    spared[x] = IN_CONFLICT(x) && job[x] == STOP && planned[x] == RELOAD;
#ifndef BREAK_CANCEL
    finish(x, R_CANCELED, false)
#else
    job[x] = NONE
#endif
  :: else -> skip
  fi;
  if
  :: job[x] == NONE ->
    assert(!owed[x]); /* at most one job a unit */
    owed[x] = true;
    job[x] = planned[x];
    runs[x] = false;
    irreversible[x] = mode == IRREVERSIBLY;
    enqueue(x)
  :: else ->
    kinds = BIT(job[x]) | BIT(planned[x]);
    kind = ONE_OF(kinds, x);
    if
    :: runs[x] && !(kind == job[x] && planned[x] != RELOAD) -> runs[x] = false
    :: else -> skip
    fi;
    job[x] = kind;
    irreversible[x] = irreversible[x] || mode == IRREVERSIBLY;
    if
    :: !runs[x] -> enqueue(x)
    :: else -> skip
    fi;
    wake(x)
  fi
}

/* With a unit that is to be stopped all that require it are, or are down. */
inline check_stops() {
  u = 0;
  do
  :: u < UNITS ->
    v = 0;
    do
    :: v < UNITS ->
      assert(!(planned[u] == STOP && u != v && STOPS(u, v) &&
               !(job[v] == STOP || (DOWN(v) && job[v] == NONE))));
      v++
    :: else -> break
    od;
    u++
  :: else -> break
  od
}

inline transact() {
  requests?about,type,mode,who;
  is_refused = false;
  alive = 0;
  drafted = 0;
  if
  :: about == ALL -> /* start shutdown.target: all three conflict with it */
    anchor = 31; /* none of ours */
    v = 0;
    do
    :: v < UNITS -> alive = alive | AT(NODE(v, STOP)); order[drafted] = NODE(v, STOP); drafted++; v++
    :: else -> break
    od;
    close_over();
    matter = 0
  :: else ->
    anchor = NODE(about, type);
    alive = AT(anchor);
    order[0] = anchor;
    drafted = 1;
    close_over();
    reach(AT(anchor), false);
    matter = covered
  fi;
  if
  :: mode == FAIL ->
    dropped = 0;
    v = 0;
    do
    :: v < UNITS ->
      kind = START;
      do
      :: kind <= RESTART ->
        if
        :: (alive & AT(NODE(v, kind)) & ~matter) &&
           ((kind == STOP && !DOWN_OR_GOING(v)) || CONFLICTS(job[v], kind)) ->
          dropped = dropped | AT(NODE(v, kind))
        :: else -> skip
        fi;
        kind++
      :: else -> break
      od;
      v++
    :: else -> break
    od;
    drop(true)
  :: else -> skip
  fi;
  drop_redundant();
  resolve(A);
  resolve(B);
  resolve(C);
  v = 0;
  do
  :: v < UNITS ->
    some = (alive >> (v * 5)) & 31;
    kinds = some << 1;
    planned[v] = (kinds -> ONE_OF(kinds, v) : NONE);
    v++
  :: else -> break
  od;
  /* What the merging made redundant; and against the jobs that are queued. */
  v = 0;
  do
  :: v < UNITS ->
    if
    :: planned[v] != NONE && UNIT_OF(anchor) != v && !CONFLICTS(job[v], planned[v]) &&
       (((planned[v] == START || planned[v] == VERIFY) && UP(v)) ||
        (planned[v] == STOP && DOWN(v)) || (planned[v] == RELOAD && phase[v] == RELOADING)) ->
      dropped = NODES_OF(v);
      drop(false);
      w = 0;
      do
      :: w < UNITS ->
        if
        :: (alive & NODES_OF(w)) == 0 -> planned[w] = NONE
        :: else -> skip
        fi;
        w++
      :: else -> break
      od
    :: else -> skip
    fi;
    v++
  :: else -> break
  od;
  v = 0;
  do
  :: v < UNITS ->
    if
    :: CONFLICTS(job[v], planned[v]) && (mode == FAIL || irreversible[v]) -> is_refused = true
#ifndef BREAK_SHUTDOWN
    /* A start conflicts with shutdown.target, whose start is irreversible. */
    :: last_job && (planned[v] == START || planned[v] == RESTART) -> is_refused = true
#endif
    :: else -> skip
    fi;
    v++
  :: else -> break
  od;
  if
  :: is_refused ->
    if
    :: who == BY_USER -> SAY(("REFUSED\n"))
    :: who == BY_REVIEW -> refused[about] = true
    :: else -> skip
    fi
  :: else ->
    if
    :: about == ALL -> shutdown = true; last_job = true
    :: else -> skip
    fi;
    nth = 0;
    covered = 0;
    do
    :: nth < drafted ->
      u = UNIT_OF(order[nth]);
      if
      :: planned[u] != NONE && !(covered & AT(u)) -> install(u); covered = covered | AT(u)
      :: else -> skip
      fi;
      nth++
    :: else -> break
    od;
    check_stops()
  fi
}
