; Quorums need not be majorities: those that elect and those that commit have to meet, those that commit need not meet each
; other (Howard, Malkhi and Spiegelman 2016, "Flexible Paxos").
;
; Raft takes majorities for both. This says what would have to hold if it ever did not: besides the meeting of elections
; and commits, for leader completeness, two elections of one term have to meet, since Raft's terms, unlike Paxos' ballots,
; do not belong to a candidate.

(define-fun disjoint ((all Int) (a Int) (b Int)) Bool (and (<= 0 a all) (<= 0 b all) (<= (+ a b) all)))

; n voters; so many elect, so many commit.
(declare-const n Int)
(declare-const elect Int)
(declare-const commit Int)
(assert (and (<= 1 elect n) (<= 1 commit n)))

(echo "lemma: if elect + commit > n, whoever is elected has met every commit")
(push 1)
(assert (> (+ elect commit) n))
(assert (disjoint n elect commit))
(check-sat)
(pop 1)

(echo "twin: elect + commit = n is not enough")
(push 1)
(assert (>= (+ elect commit) n))
(assert (disjoint n elect commit))
(check-sat)
(pop 1)

(echo "lemma: if elect > n / 2 besides, two elections of one term meet")
(push 1)
(assert (and (> (+ elect commit) n) (> (* 2 elect) n)))
(assert (disjoint n elect elect))
(check-sat)
(pop 1)

(echo "twin: elect + commit > n alone lets a term have two leaders")
(push 1)
(assert (> (+ elect commit) n))
(assert (disjoint n elect elect))
(check-sat)
(pop 1)

(echo "twin: quorums that commit may be disjoint even then, and nothing is lost by it")
(push 1)
(assert (and (> (+ elect commit) n) (> (* 2 elect) n)))
(assert (disjoint n commit commit))
(check-sat)
(pop 1)
