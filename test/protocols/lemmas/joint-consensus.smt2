; Quorums of consecutive configurations of a joint change have a member in common: any old and any new set of voters.
;
; Raft needs it in membership changes: at no time may the old and the new voters decide apart from each other (Ongaro and
; Ousterhout 2014, section 6). `isQuorum` of protocols/raft/quorum.ts counts a joint configuration as it is said here.

(define-fun majority ((n Int)) Int (+ (div n 2) 1))

; The voters fall into three regions: those that leave, those that stay, those that come. Two sets P and Q of voters are
; counted in each of them, and what they have in common there.
(declare-const leaving Int)
(declare-const staying Int)
(declare-const coming Int)
(declare-const p-leaving Int)
(declare-const p-staying Int)
(declare-const p-coming Int)
(declare-const q-leaving Int)
(declare-const q-staying Int)
(declare-const q-coming Int)
(declare-const both-leaving Int)
(declare-const both-staying Int)
(declare-const both-coming Int)

; Inclusion-exclusion within a region of n voters.
(define-fun counts ((n Int) (p Int) (q Int) (both Int)) Bool
  (and (<= 0 both p n) (<= both q n) (<= (- (+ p q) both) n)))
(assert (counts leaving p-leaving q-leaving both-leaving))
(assert (counts staying p-staying q-staying both-staying))
(assert (counts coming p-coming q-coming both-coming))

(define-fun old () Int (+ leaving staying))
(define-fun new () Int (+ staying coming))
(assert (and (>= old 1) (>= new 1)))

(define-fun old-quorum ((in-leaving Int) (in-staying Int)) Bool (>= (+ in-leaving in-staying) (majority old)))
(define-fun new-quorum ((in-staying Int) (in-coming Int)) Bool (>= (+ in-staying in-coming) (majority new)))
(define-fun joint-quorum ((in-leaving Int) (in-staying Int) (in-coming Int)) Bool
  (and (old-quorum in-leaving in-staying) (new-quorum in-staying in-coming)))

; P and Q have no member in common: what must be impossible.
(assert (= (+ both-leaving both-staying both-coming) 0))

(echo "lemma: a quorum of the old configuration and one of the joint configuration meet")
(push 1)
(assert (old-quorum p-leaving p-staying))
(assert (joint-quorum q-leaving q-staying q-coming))
(check-sat)
(pop 1)

(echo "lemma: two quorums of the joint configuration meet")
(push 1)
(assert (joint-quorum p-leaving p-staying p-coming))
(assert (joint-quorum q-leaving q-staying q-coming))
(check-sat)
(pop 1)

(echo "lemma: a quorum of the joint configuration and one of the new configuration meet")
(push 1)
(assert (joint-quorum p-leaving p-staying p-coming))
(assert (new-quorum q-staying q-coming))
(check-sat)
(pop 1)

(echo "twin: quorums of the old and of the new configuration may not, if there is no joint one between them")
(push 1)
(assert (old-quorum p-leaving p-staying))
(assert (new-quorum q-staying q-coming))
(check-sat)
(pop 1)

(echo "twin: nor if the joint configuration counts one majority of all its voters")
(push 1)
(assert (old-quorum p-leaving p-staying))
(assert (>= (+ q-leaving q-staying q-coming) (majority (+ leaving staying coming))))
(check-sat)
(pop 1)

(echo "twin: nor if the joint configuration asks one voter less of its new half")
(push 1)
(assert (old-quorum p-leaving p-staying))
(assert (>= (+ p-staying p-coming) (- (majority new) 1)))
(assert (new-quorum q-staying q-coming))
(check-sat)
(pop 1)
