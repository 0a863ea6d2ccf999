(* The pairs {i, j} of positions in a list, and sums over them. *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums.
Import ListNotations.
Open Scope R_scope.

(* (l_i, l_j) for all i < j. *)
Fixpoint pairs {A : Type} (l : list A) : list (A * A) :=
  match l with [] => [] | a :: rest => map (fun b => (a, b)) rest ++ pairs rest end.

Definition over_pairs {A : Type} (h : A -> A -> R) (l : list A) : R := sum (fun p => h (fst p) (snd p)) (pairs l).

Lemma over_pairs_cons {A} (h : A -> A -> R) a l : over_pairs h (a :: l) = sum (h a) l + over_pairs h l.
Proof. unfold over_pairs; simpl. rewrite sum_app, sum_map. reflexivity. Qed.

Lemma over_pairs_plus {A} (h h' : A -> A -> R) l :
  over_pairs (fun a b => h a b + h' a b) l = over_pairs h l + over_pairs h' l.
Proof. apply (sum_plus (fun p => h (fst p) (snd p)) (fun p => h' (fst p) (snd p))). Qed.

Lemma over_pairs_scal {A} c (h : A -> A -> R) l : over_pairs (fun a b => c * h a b) l = c * over_pairs h l.
Proof. apply (sum_scal c (fun p => h (fst p) (snd p))). Qed.

Lemma over_pairs_eq {A} (h h' : A -> A -> R) l : (forall p, In p (pairs l) -> h (fst p) (snd p) = h' (fst p) (snd p)) ->
  over_pairs h l = over_pairs h' l.
Proof. apply sum_eq. Qed.

Lemma over_pairs_le {A} (h h' : A -> A -> R) l :
  (forall p, In p (pairs l) -> h (fst p) (snd p) <= h' (fst p) (snd p)) ->
  over_pairs h l <= over_pairs h' l.
Proof. apply sum_le. Qed.

Lemma in_pairs {A} (l : list A) p : In p (pairs l) -> In (fst p) l /\ In (snd p) l.
Proof.
  induction l as [|a l IH]; [easy|]. simpl. intros H; apply in_app_or in H as [H|H].
  - apply in_map_iff in H as [b [<- Hb]]; simpl; auto.
  - destruct (IH H); auto.
Qed.

(* All n^2 ordered pairs are those with i = j, and each of the others both ways. *)
Lemma ordered_pairs {A} (h : A -> A -> R) l : (forall a b, h a b = h b a) ->
  sum (fun a => sum (h a) l) l = sum (fun a => h a a) l + 2 * over_pairs h l.
Proof.
  intros S; induction l as [|a l IH]; [unfold over_pairs; simpl; lra|].
  rewrite over_pairs_cons, !sum_cons.
  rewrite (sum_eq (fun b => sum (h b) (a :: l)) (fun b => h a b + sum (h b) l))
    by (intros; rewrite sum_cons, S; auto).
  rewrite sum_plus, IH. lra.
Qed.

Lemma number_of_pairs {A} (l : list A) : over_pairs (fun _ _ => 1) l = INR (length l) * (INR (length l) - 1) / 2.
Proof.
  induction l as [|a l IH]; [unfold over_pairs; simpl; field|].
  rewrite over_pairs_cons, IH, sum_const. change (length (a :: l)) with (S (length l)). rewrite S_INR. field.
Qed.

(* Each entry stands in n - 1 pairs. *)
Lemma over_pairs_split {A} (h : A -> R) l : over_pairs (fun a b => h a + h b) l = (INR (length l) - 1) * sum h l.
Proof.
  induction l as [|a l IH]; [unfold over_pairs; simpl; ring|].
  rewrite over_pairs_cons, IH, sum_plus, sum_const. change (length (a :: l)) with (S (length l)).
  rewrite S_INR, sum_cons. ring.
Qed.
