(* Mulayoff, Michaeli and Soudry 2021, section 5: where gradient descent does not converge (M19). *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums mulayoff2021.stability.
Import ListNotations.
Open Scope R_scope.

(* M19 is false of all starts: curvatures 3 and 1, eta = 1. From (0, 1) gradient descent is at the minimum after one
   step, and stays there, while the sharpness is 3. *)
Definition two_curvatures (p q : nat) : R := if Nat.eqb p q then (if Nat.eqb p 0 then 3 else 1) else 0.
Definition along_the_flat (p : nat) : R := if Nat.eqb p 0 then 0 else 1.

Theorem descent_reaches_a_sharp_minimum :
  let coordinates := [0%nat; 1%nat] in let eta := 1 in
  positive_semidefinite coordinates two_curvatures
  /\ ~ lambda_max_at_most coordinates (2 / eta) two_curvatures
  /\ forall t, norm coordinates (descend coordinates eta two_curvatures (S t) along_the_flat) = 0.
Proof.
  intros coordinates eta. unfold coordinates, eta.
  assert (forall v, quadratic [0%nat; 1%nat] two_curvatures v = 3 * (v 0%nat * v 0%nat) + v 1%nat * v 1%nat) as form
    by (intros; unfold quadratic, dot, apply, two_curvatures; simpl; ring).
  split; [|split].
  - intros v. rewrite form. nra.
  - intros flat. specialize (flat (fun p => if Nat.eqb p 0 then 1 else 0)). rewrite form in flat.
    unfold dot in flat. simpl in flat. lra.
  - intros t. enough (descend [0%nat; 1%nat] 1 two_curvatures (S t) along_the_flat 0%nat = 0
      /\ descend [0%nat; 1%nat] 1 two_curvatures (S t) along_the_flat 1%nat = 0) as [first second].
    { unfold norm, dot. rewrite !sum_cons, sum_nil, first, second.
      replace (0 * 0 + (0 * 0 + 0)) with 0 by ring. apply sqrt_0. }
    induction t as [|t [first second]].
    + simpl. unfold descent_step, apply, two_curvatures, along_the_flat. simpl. split; ring.
    + rewrite descend_last. unfold descent_step at 1 2, apply at 1 2. rewrite !sum_cons, !sum_nil, first, second.
      split; ring.
Qed.
