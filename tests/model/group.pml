/* The protocol by which a group is bound whole, as a transition system: two Musters, kube-scheduler, the API
 * server with what is on its way to it, and faults.
 *
 * Pods 0, 1 and 2 are the group A (minimum 3), pod 3 is the group B (minimum 1). Pod i has a place on node i;
 * pod 3 has one on node 0 and nowhere else, so that A and B cannot both stand: whatever node 0 has is promised
 * to one of them or to nobody.
 *
 * One line of a choice in the section «the steps» is one step; every order of steps is tried. README.md says what is left out.
 *
 * Mutants, each of which breaks one property: EARLY_BIND, FREE_ON_LOST_REPLY, NO_UNWINDING, NO_DEADLINE,
 * FORGETFUL_PLANNER, UNVERSIONED, FORGET_FOUND, FREE_TAKEN_UP. */

#ifndef CRASHES
#define CRASHES 1      /* of a Muster, at any step */
#endif
#ifndef LOST_REPLIES
#define LOST_REPLIES 1 /* of a binding that took effect or not */
#endif
#ifndef HANDOVERS
#define HANDOVERS 0    /* the lease goes to the other Muster before the first one has noticed */
#endif
#ifndef RESTARTS
#define RESTARTS 1     /* of kube-scheduler, which forgets its calls; it may also stay away */
#endif
#ifndef DEADLINES
#define DEADLINES 1    /* hold timeouts that come early; they always come when nothing else happens */
#endif
#ifndef PLANS
#define PLANS 3
#endif
#ifdef NO_GATE
#define GATED(i) ((i) != 0) /* pod 0 is held by refusal: its nomination releases it */
#else
#define GATED(i) true
#endif

#ifdef ROOM_UNCHECKED
#define NEVER_TWICE(x) skip
#else
#define NEVER_TWICE(x) assert(x) /* room is never promised twice */
#endif
#define NOBODY 2
#define A 0
#define B 1
#define GROUP(i) ((i) / 3)
#define RIVAL(i) (3 - (i)) /* who wants the same node; for pods 0 and 3 */
#define CONTENDED(i) ((i) == 0 || (i) == 3)

mtype = { Standby, Leading, Stale };                         /* a Muster */
mtype = { Idle, Nominate, Release, Bind, Withdraw, Evict };  /* a write on its way */

/* --- what the API server has ----------------------------------------------------------------------------- */
bool bound[4];
bool gate[4];
byte plan[4];  /* nomination and plan id, which are one write; 0: none */
bit uid[4];    /* changes with each replacement */
byte holder;   /* of the lease */

/* --- what a Muster has in memory ------------------------------------------------------------------------- */
typedef Muster {
  mtype mode;
  byte promised[4]; /* plan for which the pod's room is reserved; 0: none */
  bool nominated[4];
  bool released[4];
  bool called[4];   /* kube-scheduler's bind call waits here */
  bool posted[4];   /* the binding was confirmed; the watch has not shown it yet */
  bool seen[4];     /* bound, as the watch shows it */
  bool stray[4];    /* a nomination that has to be withdrawn */
  bool taken_up[4]; /* it was promised by another Muster, whose binding may be on its way */
  bool found[4];    /* it was found in the API and is not taken up: its room stays promised until it is withdrawn */
  bool open[2];     /* the barrier */
  mtype write[4];   /* at most one on its way for each pod */
  byte write_plan[4];
  bit write_uid[4];
};
Muster muster[2];

/* --- the rest of the world ------------------------------------------------------------------------------- */
bool scheduler_there = true;
byte plans;
byte crashes = CRASHES;
byte lost_replies = LOST_REPLIES;
byte handovers = HANDOVERS;
byte restarts = RESTARTS;
byte deadlines = DEADLINES;
bool barrier_seen[PLANS + 1]; /* for the assertion on promise 1 */

#define ACTS(m) (muster[m].mode != Standby)
/* The fence: who has lost the lease sends nothing any more. What it has sent is on its way. */
#ifdef UNFENCED
#define SENDS(m) ACTS(m)
#else
#define SENDS(m) (muster[m].mode == Leading)
#endif
#define PLANNED_A(m) (muster[m].promised[0] || muster[m].promised[1] || muster[m].promised[2])
#define PLANNED_B(m) (muster[m].promised[3])
#define PLANNED(m, g) ((g) == A && PLANNED_A(m) || (g) == B && PLANNED_B(m))
/* Every planned pod of the group has it. */
#define HAS(m, i, what) (!muster[m].promised[i] || muster[m].what[i])
#define ALL(m, g, what) ((g) == A && HAS(m, 0, what) && HAS(m, 1, what) && HAS(m, 2, what) || (g) == B && HAS(m, 3, what))
#ifdef FORGET_FOUND
#define FOUND(m, i) false
#define CLAIMED(i) false
#else
#define FOUND(m, i) (muster[m].found[i] && plan[i])
#define CLAIMED(i) (plan[i] && !bound[i])
#endif
#ifdef FREE_TAKEN_UP
#define HEIR(m, i) false
#else
#define HEIR(m, i) (muster[m].taken_up[i] && CONTENDED(i))
#endif
#define ROOM(m, i) (!CONTENDED(i) || !muster[m].promised[RIVAL(i)] && !muster[m].seen[RIVAL(i)] && !FOUND(m, RIVAL(i)))
#define FITS(m, i) (muster[m].seen[i] || ROOM(m, i))
#ifdef FORGETFUL_PLANNER
#define CAN_PLAN_A(m) (plans < PLANS)
#define CAN_PLAN_B(m) (plans < PLANS)
#else
#define CAN_PLAN_A(m) (plans < PLANS && FITS(m, 0))
#define CAN_PLAN_B(m) (plans < PLANS && FITS(m, 3))
#endif
#define SEEN_A(m) (muster[m].seen[0] + muster[m].seen[1] + muster[m].seen[2])
#ifdef NO_UNWINDING
#define UNWINDING(m) false
#else
/* Part of A is bound, and the rest can not be planned. */
#define UNWINDING(m) (muster[m].mode == Leading && SEEN_A(m) > 0 && SEEN_A(m) < 3 && !PLANNED_A(m) && !CAN_PLAN_A(m))
#endif

/* --- a plan's life --------------------------------------------------------------------------------------- */
inline forget(m, i) {
  muster[m].promised[i] = 0;
  muster[m].nominated[i] = false;
  muster[m].released[i] = false;
  muster[m].called[i] = false;
  muster[m].taken_up[i] = false;
  muster[m].posted[i] = false
}

inline close_if_empty(m, g) {
  if
  :: PLANNED(m, g) -> skip
  :: else -> muster[m].open[g] = false
  fi
}

/* Promise 2: nothing is promised any more when this is done, but what another Muster may still bind. */
inline give_back(m, i) {
  if
  :: muster[m].promised[i] -> muster[m].found[i] = HEIR(m, i); forget(m, i); muster[m].stray[i] = true
  :: else -> skip
  fi
}
inline end_plan(m, g) {
  if
  :: g == A -> give_back(m, 0); give_back(m, 1); give_back(m, 2)
  :: else -> give_back(m, 3)
  fi;
  muster[m].open[g] = false
}

inline promise(m, i, id) {
  if
  :: muster[m].seen[i] -> skip
  :: else ->
    NEVER_TWICE(ROOM(m, i));
    forget(m, i);
    muster[m].promised[i] = id
  fi
}
/* filter answers the node of a pod that had no gate when it was planned, and nobody has to wake it. */
inline answer_node(m, i) {
  muster[m].released[i] = !GATED(i) && muster[m].promised[i]
}

inline make_plan(m, g) {
  plans++;
  if
  :: g == A -> promise(m, 0, plans); promise(m, 1, plans); promise(m, 2, plans); answer_node(m, 0)
  :: else -> promise(m, 3, plans)
  fi
}

/* Promise 3: what stands in the API is enough to go on. */
#define CLAIMS(m, i, id) (muster[m].seen[i] || plan[i] == (id) && !bound[i])
inline take_up_pod(m, i, id) {
  if
  :: muster[m].seen[i] -> skip
  :: else -> promise(m, i, id); muster[m].nominated[i] = true; muster[m].taken_up[i] = CONTENDED(i)
  fi
}
inline resume(m) {
  muster[m].mode = Leading;
  holder = m;
  claim = plan[0];
  if
  :: claim == 0 -> claim = plan[1]
  :: else -> skip
  fi;
  if
  :: claim == 0 -> claim = plan[2]
  :: else -> skip
  fi;
  if
  :: claim && SEEN_A(m) < 3 && CLAIMS(m, 0, claim) && CLAIMS(m, 1, claim) && CLAIMS(m, 2, claim) && FITS(m, 0) && !CLAIMED(3) ->
    take_up_pod(m, 0, claim); take_up_pod(m, 1, claim); take_up_pod(m, 2, claim)
  :: else -> skip
  fi;
  if
  :: plan[3] && !bound[3] && !muster[m].seen[3] && FITS(m, 3) && !CLAIMED(0) -> take_up_pod(m, 3, plan[3])
  :: else -> skip
  fi;
  muster[m].found[0] = CLAIMED(0) && !muster[m].promised[0];
  muster[m].found[3] = CLAIMED(3) && !muster[m].promised[3];
  claim = 0
}

inline lose_memory(m) {
  forget(m, 0); forget(m, 1); forget(m, 2); forget(m, 3);
  muster[m].stray[0] = false; muster[m].stray[1] = false; muster[m].stray[2] = false; muster[m].stray[3] = false;
  muster[m].found[0] = false; muster[m].found[3] = false;
  muster[m].open[A] = false; muster[m].open[B] = false;
  muster[m].mode = Standby
}

inline cut_calls() {
  muster[0].called[0] = false; muster[0].called[1] = false; muster[0].called[2] = false; muster[0].called[3] = false;
  muster[1].called[0] = false; muster[1].called[1] = false; muster[1].called[2] = false; muster[1].called[3] = false
}

inline send(m, i, what) {
  muster[m].write[i] = what;
  muster[m].write_plan[i] = muster[m].promised[i];
  muster[m].write_uid[i] = uid[i]
}

/* --- a write arrives ------------------------------------------------------------------------------------- */
#ifdef UNVERSIONED
#define LETS_IN(m, i) (muster[m].write_uid[i] == uid[i] && !bound[i] && !gate[i])
#else
/* The version in the binding is one at which the pod carried this plan. */
#define LETS_IN(m, i) (muster[m].write_uid[i] == uid[i] && !bound[i] && !gate[i] && plan[i] == muster[m].write_plan[i])
#endif
#define OURS(m, i) (muster[m].promised[i] && muster[m].promised[i] == muster[m].write_plan[i])

inline arrive_bind(m, i) {
  if
  :: LETS_IN(m, i) ->
    assert(barrier_seen[muster[m].write_plan[i]]); /* promise 1 */
    bound[i] = true;
    NEVER_TWICE(!bound[0] || !bound[3])
  :: else -> skip
  fi
}
inline reply_to_bind(m, i) {
  if
  :: !OURS(m, i) -> skip
  :: OURS(m, i) && bound[i] && muster[m].write_uid[i] == uid[i] -> muster[m].posted[i] = true
  :: else -> forget(m, i); muster[m].stray[i] = true; close_if_empty(m, GROUP(i))
  fi
}
inline no_reply_to_bind(m, i) {
  skip /* it is posted again */
}

inline replace_pod(i) {
  bound[i] = false;
  gate[i] = GATED(i);
  plan[i] = 0;
  uid[i] = 1 - uid[i];
  muster[0].seen[i] = false;
  muster[1].seen[i] = false;
  if
  :: muster[0].promised[i] -> end_plan(0, GROUP(i))
  :: else -> skip
  fi;
  if
  :: muster[1].promised[i] -> end_plan(1, GROUP(i))
  :: else -> skip
  fi;
  muster[0].stray[i] = false; muster[0].found[i] = false;
  muster[1].stray[i] = false; muster[1].found[i] = false
}

inline arrive(m, i) {
  if
  :: muster[m].write_uid[i] != uid[i] -> skip /* refused; the pod's replacement has ended the plan */
  :: else ->
    if
    :: muster[m].write[i] == Nominate ->
      if
      :: bound[i] -> skip
      :: else -> plan[i] = muster[m].write_plan[i]
      fi;
      if
      :: OURS(m, i) -> muster[m].nominated[i] = true; muster[m].found[i] = false
      :: else -> skip
      fi
    :: muster[m].write[i] == Release ->
      gate[i] = false;
      if
      :: OURS(m, i) -> muster[m].released[i] = true
      :: else -> skip
      fi
    :: muster[m].write[i] == Withdraw ->
      if
      :: bound[i] -> skip
      :: else -> plan[i] = 0; muster[0].found[i] = false; muster[1].found[i] = false
      fi
    :: muster[m].write[i] == Evict -> replace_pod(i)
    fi
  fi
}

inline done_with(m, i) {
  muster[m].write[i] = Idle;
  muster[m].write_plan[i] = 0;
  muster[m].write_uid[i] = 0
}

/* The watch shows a bound pod. Whoever was promised its room is planned anew. */
inline see(m, i) {
  forget(m, i);
  muster[m].seen[i] = true;
  muster[m].stray[i] = false;
  muster[m].found[i] = false;
  close_if_empty(m, GROUP(i));
  if
  :: CONTENDED(i) && muster[m].promised[RIVAL(i)] && !muster[m].open[GROUP(RIVAL(i))] -> end_plan(m, GROUP(RIVAL(i)))
  :: else -> skip
  fi
}

/* --- at rest --------------------------------------------------------------------------------------------- */
inline check_rest() {
  assert(bound[0] + bound[1] + bound[2] == 0 || bound[0] + bound[1] + bound[2] == 3); /* whole, or nothing */
  assert(!PLANNED_A(0) && !PLANNED_B(0) && !PLANNED_A(1) && !PLANNED_B(1));           /* every plan has ended */
  assert(bound[0] || !plan[0]);                                                       /* and left nothing */
  assert(bound[3] || !plan[3])
}

/* A write that is on its way when its sender dies arrives whenever it likes, or is lost. */
#ifdef NO_LATE_WRITES
#define SENT_NOTHING(m) (IDLE(m, 0) && IDLE(m, 1) && IDLE(m, 2) && IDLE(m, 3))
#define QUIET_AFTER_DEATH (SENT_NOTHING(0) && SENT_NOTHING(1))
#else
#define QUIET_AFTER_DEATH true
#endif
#ifdef NO_DEADLINE
#define OVERDUE(m, g) false
#else
#define OVERDUE(m, g) (ACTS(m) && PLANNED(m, g) && !muster[m].open[g])
#endif
#define IDLE(m, i) (muster[m].write[i] == Idle)

#ifdef EARLY_BIND
#define MAY_BIND(m, i) (muster[m].called[i])
#else
#define MAY_BIND(m, i) (muster[m].open[GROUP(i)])
#endif
/* kube-scheduler asks the leader, or over an old connection one that has not noticed. */
#define NOT_CALLED(i) (!muster[0].called[i] && !muster[1].called[i])
#define MAY_CALL(m, i) (scheduler_there && ACTS(m) && !bound[i] && !gate[i] && NOT_CALLED(i) && \
                        muster[m].promised[i] && SHOWN(m, i) && !muster[m].open[GROUP(i)])
#define SHOWN(m, i) (GATED(i) && ALL(m, GROUP(i), released) || !GATED(i) && muster[m].released[i])
#define REFUSES(i) (CONTENDED(i) && (bound[RIVAL(i)] || !NOT_CALLED(RIVAL(i))))

#define ID_A(m) (muster[m].promised[0] -> muster[m].promised[0] : (muster[m].promised[1] -> muster[m].promised[1] : muster[m].promised[2]))
#define ID_B(m) (muster[m].promised[3])

/* What a Muster does by itself as soon as it can: one write on its way for each pod, and the barrier. A Muster
 * that dies before a write was sent is one that dies and whose write gets lost. */
byte m_;
byte i_;
inline settle_pod() {
  if
  :: !IDLE(m_, i_) -> skip
  :: else ->
    if
    :: muster[m_].promised[i_] && !muster[m_].nominated[i_] -> muster[m_].stray[i_] = false; send(m_, i_, Nominate)
    :: muster[m_].promised[i_] && !muster[m_].released[i_] && ALL(m_, GROUP(i_), nominated) -> send(m_, i_, Release)
    :: muster[m_].released[i_] && !muster[m_].posted[i_] && MAY_BIND(m_, i_) -> send(m_, i_, Bind)
    :: !muster[m_].promised[i_] && !bound[i_] && (muster[m_].stray[i_] || muster[m_].mode == Leading && plan[i_]) ->
      muster[m_].stray[i_] = false; send(m_, i_, Withdraw)
    :: GROUP(i_) == A && muster[m_].seen[i_] && UNWINDING(m_) -> send(m_, i_, Evict)
    :: else -> skip
    fi
  fi
}
inline settle_muster() {
  if
  :: PLANNED_A(m_) && !muster[m_].open[A] && ALL(m_, A, called) && ALL(m_, A, nominated) -> muster[m_].open[A] = true; barrier_seen[ID_A(m_)] = true
  :: else -> skip
  fi;
  if
  :: PLANNED_B(m_) && !muster[m_].open[B] && ALL(m_, B, called) && ALL(m_, B, nominated) -> muster[m_].open[B] = true; barrier_seen[ID_B(m_)] = true
  :: else -> skip
  fi
}
inline settle() {
  m_ = 0;
  do
  :: m_ < 2 ->
    if
    :: ACTS(m_) -> settle_muster()
    :: else -> skip
    fi;
    i_ = 0;
    do
    :: i_ < 4 ->
      if
      :: SENDS(m_) -> settle_pod()
      :: ACTS(m_) && !SENDS(m_) -> skip
      :: !ACTS(m_) -> muster[m_].seen[i_] = bound[i_] /* a standby is warm */
      fi;
      i_++
    :: else -> break
    od;
    m_++
  :: else -> break
  od;
  m_ = 0;
  i_ = 0
}

/* --- the steps ------------------------------------------------------------------------------------------- */
/* What happens to a pod between one Muster, the API server and kube-scheduler. */
proctype pod(byte m; byte i) {
end_step:
  atomic {
    if
    :: !IDLE(m, i) && muster[m].write[i] != Bind -> arrive(m, i); done_with(m, i)
    :: !IDLE(m, i) && !ACTS(m) -> done_with(m, i) /* lost with its sender */
    :: muster[m].write[i] == Bind -> arrive_bind(m, i); reply_to_bind(m, i); done_with(m, i)
    :: muster[m].write[i] == Bind && lost_replies ->
      lost_replies--; arrive_bind(m, i); no_reply_to_bind(m, i); done_with(m, i)
#ifdef FREE_ON_LOST_REPLY
    :: muster[m].write[i] == Bind && OURS(m, i) && lost_replies -> /* no reply in time; it is still on its way */
      lost_replies--; forget(m, i); close_if_empty(m, GROUP(i))
#endif
    :: ACTS(m) && bound[i] && !muster[m].seen[i] -> see(m, i)
    :: MAY_CALL(m, i) && !REFUSES(i) -> muster[m].called[i] = true
    :: MAY_CALL(m, i) && REFUSES(i) -> end_plan(m, GROUP(i))
    fi;
    settle()
  };
  goto end_step
}

proctype lead(byte m) {
  byte claim;
end_step:
  atomic {
    if
    :: OVERDUE(m, A) && deadlines -> deadlines--; end_plan(m, A)
    :: OVERDUE(m, B) && deadlines -> deadlines--; end_plan(m, B)
    :: muster[m].mode == Leading && !PLANNED_A(m) && SEEN_A(m) < 3 && CAN_PLAN_A(m) -> make_plan(m, A)
    :: muster[m].mode == Leading && !PLANNED_B(m) && !muster[m].seen[3] && CAN_PLAN_B(m) -> make_plan(m, B)
    :: muster[m].mode == Standby && holder == NOBODY && QUIET_AFTER_DEATH -> resume(m)
    :: muster[m].mode == Standby && muster[1 - m].mode == Leading && handovers ->
      handovers--; muster[1 - m].mode = Stale; resume(m)
    :: muster[m].mode == Stale -> lose_memory(m)
    :: muster[m].mode == Leading && crashes -> crashes--; holder = NOBODY; lose_memory(m)
    fi;
    settle()
  };
  goto end_step
}

proctype scheduler() {
end_step:
  atomic {
    if
    :: scheduler_there && restarts -> restarts--; cut_calls()
    :: scheduler_there && restarts -> restarts--; cut_calls(); scheduler_there = false
    fi
  };
  goto end_step
}

/* When nothing else happens the hold timeouts come; when there is none, all is said and done. */
proctype time() {
end_wait:
  do
  :: timeout ->
    atomic {
      if
      :: OVERDUE(0, A) -> end_plan(0, A)
      :: OVERDUE(0, B) -> end_plan(0, B)
      :: OVERDUE(1, A) -> end_plan(1, A)
      :: OVERDUE(1, B) -> end_plan(1, B)
      :: else -> check_rest(); break
      fi;
      settle()
    }
  od
}

init {
  atomic {
    gate[0] = GATED(0); gate[1] = true; gate[2] = true; gate[3] = true;
    muster[0].mode = Leading; muster[1].mode = Standby;
    muster[0].write[0] = Idle; muster[0].write[1] = Idle; muster[0].write[2] = Idle; muster[0].write[3] = Idle;
    muster[1].write[0] = Idle; muster[1].write[1] = Idle; muster[1].write[2] = Idle; muster[1].write[3] = Idle;
    run pod(0, 0); run pod(0, 1); run pod(0, 2); run pod(0, 3);
    run pod(1, 0); run pod(1, 1); run pod(1, 2); run pod(1, 3);
    run lead(0); run lead(1); run scheduler(); run time()
  }
}
