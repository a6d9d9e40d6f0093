; A term has at most one leader, for any number of servers and terms: the invariant behind election safety is kept by every
; step (Ongaro and Ousterhout 2014, section 5.2), given that quorums meet (majorities.smt2, joint-consensus.smt2).
;
; Raft needs it for everything else: log matching and leader completeness begin with "the leader of a term". What a server
; has granted leaves it when its term and its vote are durable, and never before (figure 2, "updated on stable storage
; before responding"); the twins of the restart take that away.
;
; Terms are any total order: with relations for functions wherever those would make a circle among the sorts, every
; question here is one that a solver can decide (Padon et al. 2017, "Paxos made EPR").

(declare-sort Server 0)
(declare-sort Quorum 0)
(declare-sort Term 0)

(declare-fun before (Term Term) Bool)
(assert (forall ((t Term)) (not (before t t))))
(assert (forall ((t Term) (u Term) (v Term)) (=> (and (before t u) (before u v)) (before t v))))
(assert (forall ((t Term) (u Term)) (or (before t u) (= t u) (before u t))))

; Before the step: the term and the vote on each server's disk, what it has ever granted, and who has won which term with
; which quorum.
(declare-fun member (Server Quorum) Bool)
(declare-fun term (Server) Term)
(declare-fun voted-for (Server Server) Bool)
(declare-fun granted (Server Term Server) Bool)
(declare-fun leads (Server Term) Bool)
(declare-fun elected-by (Server Term) Quorum)
(assert (forall ((s Server) (c Server) (d Server)) (=> (and (voted-for s c) (voted-for s d)) (= c d))))

; Invariant, part 1: what a server has granted is of a past term, or it is the vote on its disk.
(assert (forall ((s Server) (t Term) (c Server))
  (=> (granted s t c) (or (before t (term s)) (and (= t (term s)) (voted-for s c))))))
; Part 2: a server grants one vote a term.
(assert (forall ((s Server) (t Term) (c Server) (d Server))
  (=> (and (granted s t c) (granted s t d)) (= c d))))
; Part 3: whoever leads a term was granted it by a quorum.
(assert (forall ((c Server) (t Term) (s Server))
  (=> (and (leads c t) (member s (elected-by c t))) (granted s t c))))

; Two leaders of one term, and a server that two quorums have in common.
(declare-const t Term)
(declare-const c Server)
(declare-const d Server)
(declare-const shared Server)
(define-fun two-leaders () Bool (and (leads c t) (leads d t) (distinct c d)))

(echo "lemma: where quorums meet, the invariant implies at most one leader of a term")
(push 1)
(assert (and (member shared (elected-by c t)) (member shared (elected-by d t))))
(assert two-leaders)
(check-sat)
(pop 1)

(echo "twin: not where they do not meet")
(push 1)
(assert (member shared (elected-by c t)))
(assert two-leaders)
(check-sat)
(pop 1)

; The step of one server `s`: its disk afterwards, and perhaps a grant of term u to k. After it, part 1 or part 2 does not
; hold for server `s`, term t, and c and d. (Part 3 is about what was granted in the past: no step of these can break it.)
(declare-const s Server)
(declare-const u Term)
(declare-const k Server)
(declare-const grants Bool)
(declare-const term-after Term)
(declare-fun voted-for-after (Server) Bool)
(define-fun granted-after ((c Server)) Bool (or (granted s t c) (and grants (= t u) (= c k))))
(define-fun broken () Bool
  (or
    (and (granted-after c) (not (or (before t term-after) (and (= t term-after) (voted-for-after c)))))
    (and (granted-after c) (granted-after d) (distinct c d))))

; A server votes for k in term u: it is newer than its own, or its own, if it has not voted for another.
(define-fun votes () Bool
  (and grants (= term-after u) (forall ((x Server)) (= (voted-for-after x) (= x k)))))
(define-fun is-free () Bool (forall ((x Server)) (=> (voted-for s x) (= x k))))

(echo "lemma: a server that votes keeps the invariant")
(push 1)
(assert (and votes (or (before (term s) u) (and (= (term s) u) is-free))))
(assert broken)
(check-sat)
(pop 1)

(echo "twin: not if it votes for another in its own term")
(push 1)
(assert (and votes (or (before (term s) u) (= (term s) u))))
(assert broken)
(check-sat)
(pop 1)

(echo "twin: not if it votes in a past term")
(push 1)
(assert (and votes is-free))
(assert broken)
(check-sat)
(pop 1)

; A server hears of term u, and has no vote in it yet.
(define-fun adopts () Bool (and (not grants) (= term-after u) (forall ((x Server)) (not (voted-for-after x)))))

(echo "lemma: a server that adopts a newer term keeps the invariant")
(push 1)
(assert (and adopts (before (term s) u)))
(assert broken)
(check-sat)
(pop 1)

(echo "twin: not if the term is the one it has, and the vote is forgotten")
(push 1)
(assert (and adopts (or (before (term s) u) (= (term s) u))))
(assert broken)
(check-sat)
(pop 1)

; A server starts again with what is on its disk.
(define-fun keeps-vote () Bool (forall ((x Server)) (= (voted-for-after x) (voted-for s x))))

(echo "lemma: a server that starts again with its term and its vote keeps the invariant")
(push 1)
(assert (and (not grants) (= term-after (term s)) keeps-vote))
(assert broken)
(check-sat)
(pop 1)

(echo "twin: not if its vote was not durable when it left")
(push 1)
(assert (and (not grants) (= term-after (term s))))
(assert broken)
(check-sat)
(pop 1)

(echo "twin: not if its term was not durable when the vote left")
(push 1)
(assert (and (not grants) keeps-vote))
(assert broken)
(check-sat)
(pop 1)

; Candidate k takes the lead of term u with a quorum. After it, part 3 does not hold for c, term t and a member of a quorum.
(declare-const by Quorum)
(define-fun elected-by-after () Quorum (ite (and (= c k) (= t u)) by (elected-by c t)))
(define-fun part-3-broken () Bool
  (and (or (leads c t) (and (= c k) (= t u))) (member shared elected-by-after) (not (granted shared t c))))

(echo "lemma: a candidate that takes the lead with what a quorum has granted it keeps the invariant")
(push 1)
(assert (forall ((x Server)) (=> (member x by) (granted x u k))))
(assert part-3-broken)
(check-sat)
(pop 1)

(echo "twin: not if it counts what was granted it in an earlier term")
(push 1)
(declare-const earlier Term)
(assert (before earlier u))
(assert (forall ((x Server)) (=> (member x by) (or (granted x u k) (granted x earlier k)))))
(assert part-3-broken)
(check-sat)
(pop 1)
